"""What comes and goes over HTTP: strict JSON, fields, names, ids in paths, cursors and pages, preconditions."""
