"""The edges of the functions: authenticate the caller, read the request, make the answer."""
