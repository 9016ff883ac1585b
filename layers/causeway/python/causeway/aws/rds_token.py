"""The token of RDS IAM authentication, made with the standard library: no SDK is imported for it.

A token is a presigned GET of the action rds-db:connect, without the URL's scheme, valid for 15 minutes:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

from causeway.settings import AwsCredentials

# Seconds a token may be used to log in.
LIFETIME = 900


def make(host: str, port: int, user: str, credentials: AwsCredentials, now: datetime | None = None) -> str:
    """Return a token that logs the user in at host:port.

    Args:
        host: the endpoint's name, as the client connects to it.
        port: its port.
        user: the database role.
        credentials: the AWS credentials to sign with.
        now: the time of signing; default: the present.
    """
    time = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{time[:8]}/{credentials.region}/rds-db/aws4_request"
    parameters = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": time,
        "X-Amz-Expires": str(LIFETIME),
        "X-Amz-Security-Token": credentials.session_token,
        "X-Amz-SignedHeaders": "host",
    }
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(parameters.items()))
    request = f"GET\n/\n{query}\nhost:{host}:{port}\n\nhost\n{sha256(b'').hexdigest()}"
    to_sign = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), sha256)
    return f"{host}:{port}/?{query}&X-Amz-Signature={hmac.new(key, to_sign.encode(), sha256).hexdigest()}"
