"""The people of a tenant: /memberships."""

from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App
from causeway.tenancy import memberships
from causeway.wire import path_ids

app = App()


def _shown(membership: memberships.Membership) -> HubAnswer:
    """Leave name and email out of the stored answer: personal data is stored in one place only."""
    return HubAnswer(membership, version=membership.version, replay_body=membership.unnamed())


@route(app, "GET", "/memberships", permission="memberships.read", response=memberships.MembershipPage)
def list_memberships(call: HubCall, query: memberships.MembershipQuery) -> HubAnswer:
    """List the tenant's people, ordered by subject."""
    return HubAnswer(memberships.page(call.context, query))


@route(
    app,
    "PATCH",
    "/memberships/{subject}",
    permission="memberships.manage",
    response=memberships.Membership,
    refuses=("MEMBERSHIP_NOT_FOUND", "OWN_MEMBERSHIP"),
)
def change(call: HubCall, body: memberships.MembershipChange) -> HubAnswer:
    """Suspend a person's membership, or restore it."""
    exact = path_ids.is_exact(call.delivered["subject"])
    return call.run(_shown, memberships.change, call.path["subject"], body, call.if_match, exact=exact)


handler = lambda_handler(app)
