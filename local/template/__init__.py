"""template.yaml as the local stack reads it."""
