"""The tree of errors: tree.py is its root and its table, each other module one domain's errors."""
