"""The monotonic clock and the wall clock of an execution environment, both set by a test."""

from causeway.ages import Moment


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.monotonic = self.wall = 1000.0

    def __call__(self) -> Moment:
        return Moment(self.monotonic, self.wall)

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self.monotonic += seconds
        self.wall += seconds

    def freeze(self, seconds: float) -> None:
        """Let time pass while the environment is frozen: the monotonic clock stands still."""
        self.wall += seconds

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back; the monotonic clock hardly moves."""
        self.wall += seconds
