"""Clients of AWS services, made on first use: importing boto3 takes longer than most calls."""

import logging
from functools import cache
from typing import Any


@cache
def client(service: str) -> Any:
    """Return a boto3 client that waits 1 s for a connection and 2 s for an answer, and tries twice.

    The region, the role's credentials and AWS_ENDPOINT_URL are boto3's own settings.

    Args:
        service: its name in boto3, such as "kms".
    """
    import boto3
    from botocore.config import Config

    # At DEBUG botocore logs whole answers, and those of KMS hold keys.
    logging.getLogger("botocore").setLevel(logging.INFO)
    retries = {"mode": "standard", "total_max_attempts": 2}
    return boto3.client(service, config=Config(connect_timeout=1, read_timeout=2, retries=retries))
