"""The sandbox's platforms, one file each; local.sandbox.registry describes the parts of a file."""
