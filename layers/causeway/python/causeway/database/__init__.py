"""Postgres: one connection per execution environment, and Idempotency-Keys."""
