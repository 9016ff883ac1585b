"""Calls to a connection's platform: its account, how it proves who calls, what an answer means."""
