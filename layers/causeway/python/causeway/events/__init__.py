"""The outbox: events that are written in the transaction of the change they describe."""
