"""A call of the hub and the answer to it, as a function's route sees them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from causeway.database.idempotency import StoredAnswer
from causeway.edge.http_events import HttpAnswer
from causeway.errors.requests import IfMatchRequired
from causeway.tenancy.context import RequestContext
from causeway.wire import path_ids, strict_json
from causeway.wire.models import Answer
from causeway.wire.preconditions import ANY, Expected

Result = TypeVar("Result")
Rest = ParamSpec("Rest")


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """The answer to a call.

    Attributes:
        body: a model, or a text that is sent as it is.
        version: the object's version, which becomes the ETag.
        replay_body: the body of a replay, where the first answer's body has a secret or personal data.
    """

    body: Answer | str
    status: int = 200
    version: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    replay_body: Answer | None = None

    def as_sent(self) -> HttpAnswer:
        """Return the answer as it is sent now, and count it."""
        return HttpAnswer(self.status, self.content_type, _text(self.body), self._all_headers())

    def to_store(self) -> StoredAnswer:
        """Return the answer as a replay sends it."""
        body = self.body if self.replay_body is None else self.replay_body
        return StoredAnswer(self.status, self._all_headers(), _text(body))

    def _all_headers(self) -> dict[str, str]:
        return self.headers | ({} if self.version is None else {"etag": f'"{self.version}"'})


def _text(body: Answer | str) -> str:
    return body if isinstance(body, str) else body.as_text()


@dataclass(frozen=True, slots=True)
class HubCall:
    """A call of an authenticated caller. A function of a route gets it after the check of the route's permission.

    Attributes:
        delivered: the path's parameters as API Gateway delivered them.
        headers: by name in lower case.
        raw: the bytes of the body.
        route: method and path as template.yaml has them.
    """

    context: RequestContext
    delivered: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    route: str

    @property
    def path(self) -> dict[str, str]:
        """The ids in the path; raises InvalidRequest if a parameter is ambiguous."""
        return {name: path_ids.parse(name, value) for name, value in self.delivered.items()}

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object in the body; raises InvalidRequest."""
        return strict_json.parse_object(self.raw)

    @property
    def if_match(self) -> Expected:
        """The versions that If-Match names; any version where the header is missing. Raises InvalidRequest."""
        return Expected.parse(self.headers["if-match"]) if "if-match" in self.headers else ANY

    @property
    def required_if_match(self) -> Expected:
        """The versions that If-Match names, for a route that requires it; raises IfMatchRequired, InvalidRequest."""
        if "if-match" not in self.headers:
            raise IfMatchRequired
        return self.if_match

    def run(
        self,
        answer: Callable[[Result], HubAnswer],
        rule: Callable[Concatenate[RequestContext, Rest], Result],
        *args: Rest.args,
        **kwargs: Rest.kwargs,
    ) -> HubAnswer:
        """Call a rule that changes something, and return its answer.

        The rule's last transaction stores this answer for a replay (context.finish).

        Args:
            answer: makes the answer of the rule's result.
            rule: called with the call's context and the other arguments.
            args, kwargs: the other arguments.
        """
        context = replace(self.context, answer_of=lambda result: answer(result).to_store())
        return answer(rule(context, *args, **kwargs))
