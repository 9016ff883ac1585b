"""Requests and answers over HTTP: strict JSON, models, kinds of field, names, ids in paths, pages, preconditions."""
