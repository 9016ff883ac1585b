"""What the functions call: Postgres, moto, queues, schedules, secrets."""
