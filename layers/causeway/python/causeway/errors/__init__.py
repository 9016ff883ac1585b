"""The errors: tree.py has their root, table.py their table, requests.py and service.py those that all domains share."""
