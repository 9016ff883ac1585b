"""Child processes: the one way to start one, and servers that run as one."""
