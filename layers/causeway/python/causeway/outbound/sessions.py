"""Sessions of requests that follow no redirect, and read none either."""

from typing import Any

import requests


class Session(requests.Session):
    """A session for which no answer is a redirect.

    Told not to follow one, requests still reads all of its body to prepare the next request: of a stranger's answer
    that may be more than there is memory.
    """

    def get_redirect_target(self, resp: Any) -> None:
        """Return None: there is nowhere to go."""
