"""AWS: service clients, secrets, and the database token of RDS IAM authentication."""
