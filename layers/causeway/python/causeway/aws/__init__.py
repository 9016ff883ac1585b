"""AWS: service clients, secrets, the token of RDS IAM authentication, custom resources, ages of cached values."""
