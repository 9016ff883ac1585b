"""One local server that plays every platform of the catalogue: its test call, its credentials, its errors."""

from local.sandbox.credentials import DEMO_CREDENTIALS
from local.sandbox.demo import redirected
from local.sandbox.process import Sandbox

__all__ = ["DEMO_CREDENTIALS", "Sandbox", "redirected"]
