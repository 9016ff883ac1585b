"""AWS: clients made on first use, secrets by name, a database token of IAM's."""
