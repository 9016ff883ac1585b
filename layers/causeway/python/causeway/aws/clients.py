"""Clients of AWS's services, made on first use: boto3 takes longer to import than most calls take."""

import logging
from functools import cache
from typing import Any


@cache
def client(service: str) -> Any:
    """Return a boto3 client that waits 1 s for a connection and 2 s for an answer, and tries twice.

    The region, the role's credentials and AWS_ENDPOINT_URL are boto3's own settings.

    Args:
        service: boto3's name of the service, such as "kms".
    """
    import boto3
    from botocore.config import Config

    # Below this level botocore logs whole answers, and KMS answers with keys.
    logging.getLogger("botocore").setLevel(logging.INFO)
    retries = {"mode": "standard", "total_max_attempts": 2}
    return boto3.client(service, config=Config(connect_timeout=1, read_timeout=2, retries=retries))
