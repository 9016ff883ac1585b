"""Each case of the conformance kit as a separate test."""

import pytest

from tests.conformance.cases import Case
from tests.conformance.client import Casino
from tests.conformance.judgement import all_cases


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_wallet(case: Case, casino: Casino) -> None:
    case.run(casino)
