"""A function with a resolver of Powertools, which has no declarations: test_routes.py expects this file to be named."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

app = APIGatewayHttpResolver()


@app.get("/greetings/<name>")
def greet(name: str) -> dict[str, str]:
    """Greet somebody."""
    return {"greeting": f"Hello {name}"}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Greet, whatever the permissions."""
    return app.resolve(event, context)
