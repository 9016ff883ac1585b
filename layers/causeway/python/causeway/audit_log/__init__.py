"""The audit log: who did what to which object, from where, and with what result; one hash chain per tenant."""
