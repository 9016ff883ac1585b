"""The RDS IAM token equals the token of AWS's own SDK: same host, same parameters, same signature."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore import auth

from causeway.aws import rds_token
from causeway.settings import AwsCredentials

# The example keys of AWS's documentation.
KEY_ID, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TIMES = [
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2028, 2, 29, tzinfo=UTC),
]


def botocores(
    monkeypatch: pytest.MonkeyPatch, host: str, port: int, user: str, credentials: AwsCredentials, now: datetime
) -> str:
    """The token that botocore generates at this time."""
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_, **__: now.replace(tzinfo=None))
    client = boto3.client(
        "rds",
        region_name=credentials.region,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
    )
    return client.generate_db_auth_token(host, port, user)


def parts(token: str) -> list[str]:
    """The token's host and its parameters as written, in alphabetical order, in which SigV4 signs them."""
    place, query = token.split("?", 1)
    return [place, *sorted(query.split("&"))]


@pytest.mark.parametrize("now", TIMES)
@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1"])
def test_token_equals_botocores_at_any_time_and_region(
    monkeypatch: pytest.MonkeyPatch, now: datetime, region: str
) -> None:
    credentials = AwsCredentials(KEY_ID, SECRET_KEY, "FwoGZXIvYXdzEXAMPLE==", region)
    host = f"causeway.proxy-abc123.{region}.rds.amazonaws.com"

    token = rds_token.make(host, 5432, "causeway_casino", credentials, now)

    assert parts(token) == parts(botocores(monkeypatch, host, 5432, "causeway_casino", credentials, now))
    assert f"X-Amz-Date={now:%Y%m%dT%H%M%SZ}&" in token


@pytest.mark.parametrize("session_token", ["a/b+c=&d?e%f g", "\u00e9~-._"])
@pytest.mark.parametrize("user", ["causeway_casino", "a user/with+every=thing&~%", "\u00fcser"])
@pytest.mark.parametrize("port", [1, 5432, 65535])
def test_names_and_credentials_are_quoted_as_botocore_does(
    monkeypatch: pytest.MonkeyPatch, session_token: str, user: str, port: int
) -> None:
    credentials = AwsCredentials(KEY_ID, SECRET_KEY + "\u00e9", session_token, "eu-central-1")

    token = rds_token.make("db.example", port, user, credentials, TIMES[0])

    assert parts(token) == parts(botocores(monkeypatch, "db.example", port, user, credentials, TIMES[0]))


def test_token_uses_the_current_time_by_default() -> None:
    credentials = AwsCredentials(KEY_ID, SECRET_KEY, "token", "eu-central-1")

    before = datetime.now(UTC).replace(microsecond=0)
    token = rds_token.make("db.example", 5432, "user", credentials)
    after = datetime.now(UTC)

    signed = datetime.strptime(token.split("X-Amz-Date=")[1][:16], "%Y%m%dT%H%M%S%z")
    assert before <= signed <= after
    assert token == rds_token.make("db.example", 5432, "user", credentials, signed)
