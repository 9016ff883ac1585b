"""A function whose resolver has another name, so that a search for `app` would not find its routes."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.edge import answers

resolver = APIGatewayHttpResolver()


@resolver.get("/greetings")
def greet() -> dict[str, str]:
    """Greet anybody."""
    return {"greeting": "Hello"}


handler = answers.lambda_handler(resolver)
