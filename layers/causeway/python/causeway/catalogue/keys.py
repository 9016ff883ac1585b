"""The key of a platform: its row in the catalogue, its folder of code, and a template's id in the API have it."""

import re

# As schema/0007_integration_providers.sql has it. A dot in a key would name a module in a platform's folder.
KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
