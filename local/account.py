"""The AWS account and region of the local stack."""

REGION = "eu-central-1"
ACCOUNT_ID = "123456789012"


def arn(service: str, resource: str, region: str = REGION) -> str:
    """Return the ARN of a resource of this account; IAM's resources have region ""."""
    return f"arn:aws:{service}:{region}:{ACCOUNT_ID}:{resource}"
