"""What functions of queues and schedules share: time budget, lease, per-tenant loop, queue message, batch, sweep."""
