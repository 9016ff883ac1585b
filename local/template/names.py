"""The names and ARNs that a template's resources have locally, as Ref and Fn::GetAtt return them."""

import re
from collections.abc import Mapping
from typing import Any

from local.account import ACCOUNT_ID, REGION, arn

QUEUE = "AWS::SQS::Queue"
FUNCTION = "AWS::Serverless::Function"
HTTP_API = "AWS::Serverless::HttpApi"


def short_name(logical_id: str) -> str:
    """Return a function's short name: WalletDebitFunction -> wallet-debit."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", logical_id.removesuffix("Function")).lower()


def queue_url(name: str) -> str:
    """Return the URL of a queue, as Ref gives it. Requests go to the endpoint in AWS_ENDPOINT_URL, not to this host."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{name}"


def layer_arn(logical_id: str) -> str:
    """Return the ARN of a layer's version."""
    return arn("lambda", f"layer:{logical_id}:1")


def of_type(document: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the resources of one type, by logical id."""
    resources: dict[str, Any] = document.get("Resources") or {}
    return {name: resource for name, resource in resources.items() if resource.get("Type") == kind}


def function_attributes(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a template's functions, as Resolver takes them: names, ARNs, ARNs of SAM's aliases."""
    found = {}
    for name in of_type(document, FUNCTION):
        function = arn("lambda", f"function:{short_name(name)}")
        found |= {name: short_name(name), f"{name}.Arn": function, f"{name}.Alias": f"{function}:live"}
    return found


def attributes(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a template's functions, queues, APIs, layers and roles, as Resolver takes them."""
    found = function_attributes(document) | {"ServerlessHttpApi": "local"}
    for name in of_type(document, QUEUE):
        found |= {name: queue_url(name), f"{name}.Arn": arn("sqs", name), f"{name}.QueueName": name}
    found |= {name: name for name in of_type(document, HTTP_API)}
    found |= {name: layer_arn(name) for name in of_type(document, "AWS::Serverless::LayerVersion")}
    found |= {f"{name}.Arn": arn("iam", f"role/{name}", region="") for name in of_type(document, "AWS::IAM::Role")}
    return found
