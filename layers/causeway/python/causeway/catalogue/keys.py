"""The key of a platform: its row in the catalogue, its folder of code, and a template's id in the API; and its kind."""

import re
from typing import Literal

# As schema/0007_integration_providers.sql has it. A dot in a key would name a module in a platform's folder.
KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")

Kind = Literal[
    "messaging",
    "casino_platform",
    "sports_betting",
    "pam",
    "payment",
    "shipping",
    "social",
    "email",
    "crm",
    "advertising",
    "analytics",
]
