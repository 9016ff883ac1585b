"""The platforms' templates: providers, their files, config schemas, patterns."""
