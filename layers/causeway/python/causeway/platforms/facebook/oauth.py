"""Authorization of Facebook: the long-lived token of the page, which has no end.

https://developers.facebook.com/docs/pages-api/getting-started
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from causeway.errors.oauth import AuthorizationRefused
from causeway.platforms.vendors import meta_login

if TYPE_CHECKING:
    from causeway.platforms.code_exchange import Exchange, Granted


def complete(exchange: "Exchange", granted: "Granted") -> "Granted":
    """Return the page's token in place of the person's."""
    person = meta_login.long_lived(exchange, granted)
    url = exchange.account.url(exchange.account.filled_path("/{graph_version}/me/accounts"))
    told = exchange.get(url, {"limit": "100"}, authorization=f"Bearer {person.grant.access_token}").get("data")
    page = _page([one for one in told if isinstance(one, dict)] if isinstance(told, list) else [], exchange)
    of_page = exchange.token(page).grant
    grant = replace(person.grant, access_token=of_page.access_token, expires_in=None)
    return replace(person, grant=grant, settings={"page_id": str(page["id"])})


def _page(pages: list[dict[str, Any]], exchange: "Exchange") -> dict[str, Any]:
    """Return the page of the connection's page_id, or the only page."""
    wanted = exchange.account.settings.get("page_id")
    found = [page for page in pages if page.get("id") and wanted in (None, page["id"])]
    if len(found) == 1:
        return found[0]
    if wanted is not None:
        raise AuthorizationRefused(
            "The person does not manage the page of config.page_id; nothing was changed",
            action="Authorize again as a person with a task on this page, and choose the page on Facebook's screen.",
        )
    raise AuthorizationRefused(
        f"The person gave access to {len(found)} pages, and the connection is for one; nothing was changed",
        action="Set config.page_id of the connection, or choose one page, and authorize again.",
    )
