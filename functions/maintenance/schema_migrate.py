"""Called by CloudFormation at each deployment, before other functions change: applies the migrations that lack."""

import json
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aws_lambda_powertools import Logger

from causeway import migrations, settings

logger = Logger()

# Seconds for the answer to CloudFormation.
_ANSWER_TIMEOUT = 10
# What CloudFormation takes as a whole is 4096 bytes.
_LONGEST_REASON = 1000


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Migrate; a failure fails the invocation, and with it the deployment.

    event is CloudFormation's request of a custom resource, which is answered at its ResponseURL, or anything else
    where a person calls: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html
    """
    try:
        # With the stack goes no data: the database is kept, or outlives the stack as a snapshot.
        applied = [] if event.get("RequestType") == "Delete" else _migrate()
    except Exception as error:
        _answer(event, "FAILED", f"{type(error).__name__}: {error} (log group {context.log_group_name})")
        raise
    _answer(event, "SUCCESS", "")
    return {"applied": applied}


def _migrate() -> list[str]:
    applied = migrations.migrate(migrations.url_from_settings(), Path(settings.schema_folder()))
    logger.info("migrated", extra={"applied": applied})
    return applied


def _answer(event: dict[str, Any], status: str, reason: str) -> None:
    """Tell CloudFormation how it went, if it asked.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
    """
    if "ResponseURL" not in event:
        return
    body = json.dumps(
        {
            "Status": status,
            "Reason": reason[:_LONGEST_REASON],
            # One for good: a new id would mean to CloudFormation that the old resource is to be deleted.
            "PhysicalResourceId": "schema",
            **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        }
    )
    url = urlsplit(event["ResponseURL"])
    connection = HTTPSConnection(url.netloc, timeout=_ANSWER_TIMEOUT)
    try:
        # The address is signed as without a content type.
        connection.request("PUT", f"{url.path}?{url.query}", body.encode(), {"Content-Type": ""})
        answer = connection.getresponse()
        logger.info("answered CloudFormation", extra={"status": status, "http_status": answer.status})
    finally:
        connection.close()
