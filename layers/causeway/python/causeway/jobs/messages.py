"""A queue's message: the ids of a committed row that waits for a worker. Everything else is in the database."""

import json
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from aws_lambda_powertools import Logger

from causeway.aws import clients
from causeway.errors.requests import InvalidRequest
from causeway.wire.field_readers import parse_uuid
from causeway.wire.strict_json import parse_object

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class RowMessage:
    """Names a row of a tenant, such as a run of a sync."""

    tenant_id: UUID
    row_id: UUID

    @property
    def ids(self) -> dict[str, str]:
        """The ids as the log has them."""
        return {"tenant_id": str(self.tenant_id), "row_id": str(self.row_id)}

    @classmethod
    def parse(cls, body: str) -> Self:
        """Read the body of a message.

        Further fields are ignored: during a deployment or after a rollback, a worker receives messages of another
        release. A message that the worker refuses would be moved to the dead-letter queue, and its row would wait for
        the sweeper.

        Raises:
            InvalidRequest: no JSON object, or tenantId or rowId is not a UUID.
        """
        fields = parse_object(body.encode("utf-8", "surrogatepass"))
        tenant_id, row_id = (parse_uuid(str(fields.get(name)), InvalidRequest) for name in ("tenantId", "rowId"))
        return cls(tenant_id, row_id)

    def send(self, queue_url: str) -> bool:
        """Send the message to an SQS queue. Call it after the row is committed: a worker may take it at once.

        Returns:
            False where SQS did not take it. The row stays, and the queue's sweeper sends another message.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        body = json.dumps({"tenantId": str(self.tenant_id), "rowId": str(self.row_id)})
        try:
            clients.client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)
        except (BotoCoreError, ClientError) as error:
            logger.warning(
                "A message could not be sent; the sweeper sends it later", extra={**self.ids, "reason": str(error)}
            )
            return False
        return True
