"""If-Match: the version of an object that a caller wants to change (RFC 9110, 13.1.1)."""

import re
from dataclasses import dataclass, field
from typing import Self

from causeway.errors.requests import InvalidRequest, VersionMismatch

# An entity-tag (RFC 9110, 8.8.3).
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
# A version as answers write it. With a leading zero, it is another tag.
_VERSION = re.compile(r"0|[1-9][0-9]{0,17}")
_SEPARATOR = re.compile(r"[ \t]*,[ \t]*")


@dataclass(frozen=True, slots=True)
class Expected:
    """The versions that a caller's If-Match names.

    Attributes:
        versions: None: any version, because the caller sent no If-Match, or *.
        weak: versions of weak tags, which match nothing.
    """

    versions: frozenset[int] | None = None
    weak: frozenset[int] = field(default=frozenset(), compare=False)

    @classmethod
    def parse(cls, header: str) -> Self:
        """Read If-Match: * or a list of entity-tags.

        If-Match compares strongly, and a weak tag is never strongly equal: W/"3" matches no version. A tag that no
        answer had matches no version either.

        Raises:
            InvalidRequest: the header is neither.
        """
        text = header.strip(" \t")
        if text == "*":
            return cls()
        versions, weakly, place = set[int](), set[int](), 0
        while True:
            tag = _TAG.match(text, place)
            if tag is None:
                raise InvalidRequest('If-Match must be an ETag as answered here, such as "3", a list of them, or *')
            weak, opaque = tag.groups()
            if _VERSION.fullmatch(opaque):
                (weakly if weak else versions).add(int(opaque))
            place = tag.end()
            if place == len(text):
                return cls(frozenset(versions), frozenset(weakly))
            separator = _SEPARATOR.match(text, place)
            if separator is None:
                raise InvalidRequest("If-Match must have commas between ETags")
            place = separator.end()

    def check(self, version: int) -> None:
        """Raise VersionMismatch, which names the object's version, if this version is not expected."""
        if self.versions is None or version in self.versions:
            return
        if version in self.weak:
            raise VersionMismatch(
                "If-Match is compared strongly, and so matches no weak tag (W/) of the object: "
                f"its version is now {version}",
                current=version,
                action="Send the ETag as it was answered, without W/.",
            )
        raise VersionMismatch(current=version)


ANY = Expected()
