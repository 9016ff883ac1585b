"""A function whose route Powertools alone knows: tests/template/test_routes.py expects to see this file named."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.edge import answers

app = APIGatewayHttpResolver()


@app.get("/greetings/<name>")
def greet(name: str) -> dict[str, str]:
    """Greet somebody."""
    return {"greeting": f"Hello {name}"}


handler = answers.lambda_handler(app)
