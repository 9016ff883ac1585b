"""What is started and stopped, as a context manager."""

from abc import ABC, abstractmethod
from typing import Self


class Started(ABC):
    """A context manager that starts on entry and stops on exit."""

    @abstractmethod
    def start(self) -> None:
        """Start; raises StartError."""

    @abstractmethod
    def stop(self) -> None:
        """Stop; nothing is left running when it returns."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
