"""The edges of the functions: prove the caller, read the request, make the answer."""
