"""A function whose module takes too long to import."""

import time

time.sleep(60)
