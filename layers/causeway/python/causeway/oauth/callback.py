"""The platform's redirect: keeps the code or the error of an authorization, and changes nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from causeway.database.postgres import Database
from causeway.oauth import flows
from causeway.vault import deployment_key

_STATE = re.compile(r"[0-9A-Za-z_-]{43}")
_CODE = re.compile(r"[!-~]{1,3000}")
_ERROR = re.compile(r"[0-9A-Za-z_.-]{1,64}")
# The error of a redirect whose own error is no word.
_UNREADABLE = "unreadable"

Outcome = Literal["returned", "declined", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Returned:
    """What a redirect brought. unknown: nothing that was awaited; nothing was changed.

    Attributes:
        return_url: where the person goes on; None: no such address was given.
    """

    outcome: Outcome
    return_url: str | None = None


UNKNOWN = Returned("unknown")


def receive(database: Database, query: Mapping[str, str], path_state: str | None) -> Returned:
    """Keep what a platform's redirect brings for the authorization of its state.

    A forged, used, replaced or expired state changes nothing, and no key is used for it.

    Args:
        database: of the hub's login.
        query: the parameters of the redirect.
        path_state: the state in the redirect's path; None: of a platform that returns it in the query.

    Raises:
        KeyServiceUnavailable: the code cannot be encrypted; nothing was changed.
        Unavailable.
    """
    state = query.get("state", path_state) or ""
    if not _STATE.fullmatch(state) or path_state not in (None, state):
        return UNKNOWN
    state_hash = flows.hash_of(state)
    awaited = database.one("SELECT * FROM oauth_flow_awaited_v1(p_state_hash => %s)", [state_hash])
    if awaited is None:
        return UNKNOWN
    # The error first: a redirect that has both is no success.
    error = query.get("error")
    code = query.get("code", "")
    if error is None and not _CODE.fullmatch(code):
        return UNKNOWN
    ciphertext = None if error is not None else deployment_key.encrypt_directly(f"{state} {code}", awaited.flow_id)
    if error is not None and not _ERROR.fullmatch(error):
        error = _UNREADABLE
    kept = database.one(
        "SELECT oauth_flow_returned_v1(p_state_hash => %s, p_code => %s, p_error => %s) AS first",
        [state_hash, ciphertext, error],
    )
    if not kept.first:
        return UNKNOWN
    if error is None:
        return Returned("returned", awaited.return_url)
    return Returned("declined" if error in awaited.declined else "refused", awaited.return_url)
