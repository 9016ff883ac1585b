"""The pattern of jobs of queues and schedules: time budget, lease, per-tenant loop, message, batch, sweep."""
