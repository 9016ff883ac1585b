"""The proxy: calls of a tenant to its connections' platforms, with the connections' credentials, passed through."""
