"""The services that the functions call: Postgres, AWS services in moto, queues, schedules, secrets."""
