"""A stand-in for API Gateway: routes, events, authorizers."""
