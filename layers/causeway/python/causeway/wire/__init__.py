"""Requests and answers over HTTP: strict JSON, fields, names, ids in paths, pages, preconditions."""
