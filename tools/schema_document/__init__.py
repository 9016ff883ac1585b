"""docs/schema.md, made from the database: `python -m tools.schema_document`."""
