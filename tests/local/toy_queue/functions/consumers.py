"""A consumer whose messages name the folder to write them to, and the outcome."""

import json
import os
import time
from pathlib import Path
from typing import Any


def reporting(event: dict[str, Any], context: Any) -> Any:
    """Write each message to a file of its own, then fail, raise, wait or return as the messages say."""
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        folder = Path(body["folder"])
        number = len(list(folder.glob(f"{body['name']}.*")))
        (folder / f"{body['name']}.{number}.{time.time_ns()}").write_text(
            json.dumps(record | {"env": dict(os.environ)})
        )
        match body["then"]:
            case "fail":
                failed.append({"itemIdentifier": record["messageId"]})
            case "raise":
                raise LookupError(body["name"])
            case "wait":
                while not (folder / "go").exists():
                    time.sleep(0.02)
    return {"batchItemFailures": failed}
