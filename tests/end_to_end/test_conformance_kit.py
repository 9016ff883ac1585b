"""The conformance kit's command against a running stack."""

import subprocess
import sys

from local import ROOT
from local.stack import Stack


def test_kit_with_a_wrong_secret_says_so_once(stack: Stack) -> None:
    command = [sys.executable, "-m", "tests.conformance", "--base-url", stack.base_url, "--secret", "wrong"]

    tried = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert (tried.stdout, tried.returncode) == ("", 2)
    assert len(tried.stderr.splitlines()) == 1
    assert "No case was tried: getBalance gave no balance: 401" in tried.stderr
    assert "Check --secret" in tried.stderr
