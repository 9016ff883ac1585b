"""The platforms that the sandbox plays, a file each: local.sandbox.registry says what is in a file and finds them."""
