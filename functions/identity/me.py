"""GET /me: the caller's role, permissions and tenant."""

from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App
from causeway.tenancy import me

app = App()


@route(app, "GET", "/me", permission="me.read", response=me.Me)
def read(call: HubCall) -> HubAnswer:
    """Get the caller's role, permissions and tenant."""
    return HubAnswer(me.read(call.context))


handler = lambda_handler(app)
