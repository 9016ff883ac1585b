"""The root of all errors."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Self

# Problems that one answer names.
MOST_PROBLEMS = 5

# The error class of each code, of the modules loaded so far; errors.table has them all. Where classes share a code: the
# class that introduced it.
LOADED: dict[str, type["CausewayError"]] = {}


class Problem(NamedTuple):
    """A part of a request that breaks a rule; neither attribute has a value of the request.

    Attributes:
        path: of the part, such as config.numbers[2]; empty: the whole request.
        rule: such as "must be a string".
    """

    path: str
    rule: str

    @property
    def sentence(self) -> str:
        """The path and the rule."""
        return f"{self.path} {self.rule}".lstrip()


class CausewayError(Exception):
    """A failure that is answered with a code.

    A subclass's docstring is the sentence that the caller reads. A subclass with a code introduces this code. A
    subclass without one only has another sentence or action than its parent.
    """

    code: ClassVar[str]
    # Of the HTTP answer.
    status: ClassVar[int]
    # Whether it makes sense to send the same call again unchanged.
    retry: ClassVar[bool] = False
    # The caller's next action. A class has a general action; an instance may have a more exact one.
    action: str
    # Seconds to wait before a retry, where they are known.
    retry_after: int | None = None
    # The current version of the object, where it is known: the answer's ETag.
    version: int | None = None
    # The parts of the request that break a rule, where they are known.
    problems: tuple[Problem, ...] = ()

    def __init_subclass__(cls) -> None:
        """Enter a class that introduces a code into LOADED.

        Raises:
            TypeError: such a class lacks what every answer has.
        """
        if "code" not in vars(cls):
            return
        missing = [name for name in ("status", "action") if not hasattr(cls, name)]
        if not cls.__doc__:
            missing.append("a docstring, which is the sentence that the caller reads")
        if missing:
            raise TypeError(f"The error {cls.__module__}.{cls.__name__} ({cls.code}) lacks {', '.join(missing)}")
        LOADED[cls.code] = cls

    def __init__(self, sentence: str = "", *, cause: str = "", action: str = "") -> None:
        """Make an error.

        Args:
            sentence: for the caller, where the class's sentence is too general.
            cause: for our log; never sent to the caller.
            action: the caller's next action, where the class's action is too general.
        """
        if action:
            self.action = action
        self.sentence = sentence or (type(self).__doc__ or "").strip()
        self.cause = cause
        super().__init__(cause or self.sentence)

    @classmethod
    def of_problems(cls, problems: Sequence[Problem]) -> Self:
        """Return the error that names the first problems, MOST_PROBLEMS at most. problems: at least one."""
        named = tuple(problems[:MOST_PROBLEMS])
        error = cls("; ".join(problem.sentence for problem in named))
        error.problems = named
        return error

    @property
    def fields(self) -> dict[str, Any]:
        """Further fields of the answer's body."""
        problems = [{"path": problem.path, "rule": problem.rule} for problem in self.problems]
        return {"problems": problems} if problems else {}
