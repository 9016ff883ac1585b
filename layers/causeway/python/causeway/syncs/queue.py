"""What the queue says of a run: whose it is, and which. Everything else stands in the database."""

import json
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from aws_lambda_powertools import Logger

from causeway import settings
from causeway.aws import clients
from causeway.errors.requests import InvalidRequest

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Message:
    """A run that waits."""

    tenant_id: UUID
    run_id: UUID

    @classmethod
    def parse(cls, body: str) -> Self:
        """Read a message's body; raises InvalidRequest where it is none of ours."""
        try:
            fields = json.loads(body)
            return cls(UUID(fields["tenantId"]), UUID(fields["runId"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidRequest("A message must have a tenantId and a runId") from error

    def put(self) -> bool:
        """Put the message into the queue; False where that was not to be done, which the sweeper makes good."""
        from botocore.exceptions import BotoCoreError, ClientError

        body = json.dumps({"tenantId": str(self.tenant_id), "runId": str(self.run_id)})
        try:
            clients.client("sqs").send_message(QueueUrl=settings.sync_queue_url(), MessageBody=body)
        except (BotoCoreError, ClientError) as error:
            logger.warning("A run could not be queued; it will be later", extra={"run": body, "reason": str(error)})
            return False
        return True
