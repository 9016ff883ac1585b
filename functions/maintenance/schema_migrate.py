"""Invoked at each deployment, before traffic moves: applies the migrations that the database lacks."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from causeway import schema, settings

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Migrate; a failure fails the invocation, and with it the deployment."""
    applied = schema.migrate(schema.url_from_settings(), Path(settings.schema_folder()))
    logger.info("migrated", extra={"applied": applied})
    return {"applied": applied}
