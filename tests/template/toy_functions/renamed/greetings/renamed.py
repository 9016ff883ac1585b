"""A function whose app has another name, so that a search for `app` would not find its routes."""

from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App

routes = App()


@route(routes, "GET", "/greetings", permission="catalogue.read")
def greet(call: HubCall) -> HubAnswer:
    """Greet anybody."""
    return HubAnswer("{}")


handler = answers.lambda_handler(routes)
