"""The root of all errors."""

from typing import ClassVar

# The error class of each code, of the modules loaded so far; errors.table has them all. Where classes share a code: the
# class that introduced it.
LOADED: dict[str, type["CausewayError"]] = {}


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

    @property
    def fields(self) -> dict[str, str]:
        """Further fields of the answer's body."""
        return {}
