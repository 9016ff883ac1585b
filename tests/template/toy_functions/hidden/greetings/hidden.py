"""A function whose declared route is never called: the route above it, which Powertools alone knows, answers first."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall

app = APIGatewayHttpResolver()


@app.get("/greetings")
def greet() -> dict[str, str]:
    """Greet anybody, whatever the permissions."""
    return {"greeting": "Hello"}


@route(app, "GET", "/greetings", permission="tenants.manage")
def every(call: HubCall) -> HubAnswer:
    """List the greetings."""
    return HubAnswer("{}")


handler = answers.lambda_handler(app)
