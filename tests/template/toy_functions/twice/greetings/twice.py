"""A function that declares a route twice: the second permission would be in force, the first in the document."""

from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App

app = App()


@route(app, "GET", "/greetings", permission="catalogue.read")
def some(call: HubCall) -> HubAnswer:
    """List some greetings."""
    return HubAnswer("{}")


@route(app, "GET", "/greetings", permission="tenants.manage")
def every(call: HubCall) -> HubAnswer:
    """List the greetings."""
    return HubAnswer("{}")


handler = answers.lambda_handler(app)
