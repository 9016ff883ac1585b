"""Child processes of the stack: started, watched, ended."""
