"""Called by CloudFormation at each deployment, before the other functions change: applies the missing migrations."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from causeway import migrations, settings
from causeway.aws import custom_resources
from causeway.aws.counts import published
from causeway.jobs.invocations import Invocation

logger = Logger()
# Milliseconds, as published has them: a migration that left less than half of them was nearly cut off.
_RESERVE = 120_000


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Migrate, and answer CloudFormation. A failure fails the invocation, and the deployment with it.

    A rollback calls too, to return to the version before. It succeeds in any case: its deployment has failed already,
    the schema stays as it is, and FAILED would leave the whole stack in UPDATE_ROLLBACK_FAILED.

    Args:
        event: CloudFormation's request of a custom resource; without its fields where a person calls.
            https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html
        context: Lambda's context object.

    Returns:
        The names of the migrations that were applied.
    """
    with published(context, "JobNearTimeLimit", _RESERVE):
        try:
            # Deleting the stack deletes no data: the database is of another stack.
            if event.get("RequestType") == "Delete" or custom_resources.rolls_back(event, "Version"):
                applied = []
            else:
                applied = _migrate(Invocation.of(context))
        except Exception as error:
            _answer(event, f"{type(error).__name__}: {error} (log group {context.log_group_name})")
            raise
        _answer(event)
        return {"applied": applied}


def _migrate(invocation: Invocation) -> list[str]:
    # First, because a login that is not configured needs no waiting.
    url = migrations.url_from_settings()
    invocation.wait_for_database()
    invocation.database.close()
    applied = migrations.migrate(url, Path(settings.schema_folder()))
    logger.info("migrated", extra={"applied": applied})
    return applied


def _answer(event: dict[str, Any], failure: str = "") -> None:
    status = custom_resources.answer(event, "schema", failure=failure)
    if status is not None:
        logger.info("answered CloudFormation", extra={"failed": bool(failure), "http_status": status})
