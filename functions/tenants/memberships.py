"""The people of a tenant: /memberships."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import addresses, api, memberships
from causeway.hub_api import HubAnswer, HubCall, hub_call
from causeway.operations import describe

app = APIGatewayHttpResolver()


@app.get("/memberships")
@hub_call(app, "memberships.read")
@describe("MembershipPage", query="MembershipQuery")
def every(call: HubCall) -> HubAnswer:
    """List the tenant's people, in the order of their subjects."""
    found, cursor = memberships.page(call.context, call.query)
    return HubAnswer({"memberships": [one.as_json() for one in found], "nextCursor": cursor})


@app.patch("/memberships/<subject>")
@hub_call(app, "memberships.manage")
@describe("Membership", request="MembershipChange", refuses="MEMBERSHIP_NOT_FOUND OWN_MEMBERSHIP")
def change(call: HubCall) -> HubAnswer:
    """Suspend a person, or let them in again."""
    exact = addresses.is_exact(call.delivered["subject"])
    membership = memberships.change(call.context, call.path["subject"], call.body, call.expected, exact=exact)
    return HubAnswer(membership.as_json(), version=membership.version)


handler = api.lambda_handler(app)
