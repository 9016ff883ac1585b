"""A base for services that start on entry and stop on exit."""

from abc import ABC, abstractmethod
from typing import Self


class Startable(ABC):
    """A service, as a context manager: it starts on entry and stops on exit."""

    @abstractmethod
    def start(self) -> None:
        """Start; raises StartError."""

    @abstractmethod
    def stop(self) -> None:
        """Stop. Nothing is left running when this returns."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
