"""Child processes, and servers that run as a child process."""
