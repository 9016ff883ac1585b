"""The calls of a platform: what a request to each must prove, and what it is answered."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local.sandbox.exchange import Asked, Said
from local.sandbox.problems import Problem
from local.sandbox.proofs import Proof

# The parts of the path that the pattern names -> the answer, or the status of the error.
Answer = Callable[[Asked, Mapping[str, str]], Said | int]


@dataclass(frozen=True, slots=True)
class Route:
    """One call of a platform. path: a pattern."""

    method: str
    path: str
    proof: Proof
    answer: Answer


@dataclass(slots=True)
class Tokens:
    """The access tokens one platform has given out."""

    given: list[str] = field(default_factory=list)

    def give(self, provider: str) -> str:
        """Return a token that has not been given before."""
        self.given.append(f"sandbox-{provider}-token-{len(self.given) + 1}")
        return self.given[-1]

    def known(self, asked: Asked) -> bool:
        """Whether the request carries one of them."""
        return asked.bearer in self.given


def answer(routes: list[Route], problem: Problem, asked: Asked) -> Said:
    """Return what the platform says to a request; problem: how it words its errors."""
    for route in routes:
        found = re.fullmatch(route.path, asked.path)
        if found is not None and route.method == asked.method:
            said = route.answer(asked, found.groupdict()) if route.proof(asked) else 401
            return problem(said) if isinstance(said, int) else said
    return problem(404)
