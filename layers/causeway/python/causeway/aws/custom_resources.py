"""CloudFormation's custom resources: the answer to a request."""

import json
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

# Seconds for the answer.
_TIMEOUT = 10
# Characters of a reason: CloudFormation accepts an answer of 4096 bytes.
_LONGEST_REASON = 1000


def rolls_back(request: dict[str, Any], version: str) -> bool:
    """Return whether CloudFormation returns to an earlier version of a function, because a deployment failed.

    Args:
        request: the event. An Update has the properties before and after it.
        version: the name of the property with the ARN of the function's version, which ends in its number.
    """
    if request.get("RequestType") != "Update":
        return False
    before, after = (
        str((request.get(properties) or {}).get(version, "")).rpartition(":")
        for properties in ("OldResourceProperties", "ResourceProperties")
    )
    # The numbers of another function begin again at 1.
    same_function = before[0] == after[0]
    return same_function and before[2].isdecimal() and after[2].isdecimal() and int(after[2]) < int(before[2])


def answer(request: dict[str, Any], resource_id: str, *, failure: str = "") -> int | None:
    """Send CloudFormation the outcome of a request.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html

    Args:
        request: the event; one without ResponseURL comes from a person and gets no answer.
        resource_id: the resource's physical id; a new id would tell CloudFormation to delete the old resource.
        failure: why the request failed; empty: it succeeded.

    Returns:
        The HTTP status of CloudFormation's answer, None if no answer was sent.

    Raises:
        OSError: the answer could not be sent.
    """
    if "ResponseURL" not in request:
        return None
    body = json.dumps(
        {
            "Status": "FAILED" if failure else "SUCCESS",
            "Reason": failure[:_LONGEST_REASON],
            "PhysicalResourceId": resource_id,
            **{name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        }
    )
    url = urlsplit(request["ResponseURL"])
    connection = HTTPSConnection(url.netloc, timeout=_TIMEOUT)
    try:
        # The URL's signature covers an empty content type.
        connection.request("PUT", f"{url.path}?{url.query}", body.encode(), {"Content-Type": ""})
        return connection.getresponse().status
    finally:
        connection.close()
