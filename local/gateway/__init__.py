"""API Gateway's stand-in: routes, events, authorizers."""
