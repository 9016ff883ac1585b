"""The environment variables of an execution environment."""

import os
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.account import REGION
from local.template.resources import Function


@dataclass(frozen=True)
class EnvironmentVariables:
    """Makes the environment variables of the execution environments of a stack.

    Attributes:
        endpoint_url: of the AWS services.
        secrets_port: of the Parameters and Secrets extension.
        home: a writable folder.
        overrides: values for variables of the template whose value there is a path on Lambda.
    """

    endpoint_url: str
    secrets_port: int
    home: Path
    overrides: Mapping[str, str]

    def of(self, function: Function, api_address: str, session_token: str) -> dict[str, str]:
        """Return all environment variables of one execution environment; nothing is inherited.

        api_address: of its Runtime API. session_token: tells the secrets extension which environment calls. Source: AWS
        Lambda developer guide, "Defined runtime environment variables" (configuration-envvars).
        """
        packages = [layer / "python" for layer in function.layers]
        given = dict(function.environment)
        given |= {name: value for name, value in self.overrides.items() if name in given}
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(str(folder) for folder in packages if folder.is_dir()),
            "LAMBDA_TASK_ROOT": str(function.code_folder),
            "_HANDLER": function.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": function.lambda_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": function.log_format,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.lambda_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[$LATEST]{secrets.token_hex(16)}",
            "AWS_LAMBDA_RUNTIME_API": api_address,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": session_token,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(self.secrets_port),
            **given,
        }
