"""The root of all errors."""

from typing import ClassVar

# The error class of each code, of the modules loaded so far; errors.table has them all. Where classes share a code: the
# class that introduced it.
LOADED: dict[str, type["CausewayError"]] = {}


class CausewayError(Exception):
    """A failure that is answered with a code.

    A subclass's docstring is the sentence that the caller reads. A subclass that names a code introduces it; one that
    does not refines its parent's sentence or action.
    """

    code: ClassVar[str]
    # Of the HTTP answer.
    status: ClassVar[int]
    # Whether it makes sense to send the same call again unchanged.
    retry: ClassVar[bool] = False
    # What the caller should do next. A class has a general action; an instance may know it more exactly.
    action: str
    # Seconds to wait before a retry, where they are known.
    retry_after: int | None = None
    # The current version of the object, where it is known: the answer's ETag.
    version: int | None = None

    def __init_subclass__(cls) -> None:
        """Enter a class that introduces a code into LOADED."""
        if "code" in vars(cls):
            LOADED[cls.code] = cls

    def __init__(self, sentence: str = "", *, cause: str = "", action: str = "") -> None:
        """Make an error.

        Args:
            sentence: what the caller is told, where the class's is too general.
            cause: what our log is told; never sent to the caller.
            action: what the caller should do next, where the class's is too general.
        """
        if action:
            self.action = action
        self.sentence = sentence or (type(self).__doc__ or "").strip()
        self.cause = cause
        super().__init__(cause or self.sentence)

    @property
    def fields(self) -> dict[str, str]:
        """Further fields of the answer's body."""
        return {}
