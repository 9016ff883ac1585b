"""Answers of GoHighLevel that cannot be used."""

from typing import Any

# Responses to a blocked slot that do not say the block's id.
UNREADABLE_BLOCKS = {
    "surrogate": b'{"id":"\\ud800"}',
    "infinity": b'{"id":Infinity}',
    "number": b'{"id":1}',
    "object": b'{"id":{"token":"s"}}',
    "nested": b'{"id":' + b"[" * 900 + b"]" * 900 + b"}",
    "absent": b"{}",
    "empty": b'{"id":""}',
    "twice": b'{"id":"a","id":"b"}',
    "list": b"[]",
    "not UTF-8": b"\xff",
}

MALFORMED_CALENDARS: list[Any] = [
    {},
    {"id": 1},
    {"id": "a/b"},
    {"id": "a" * 129},
    {"id": "\ud800"},
    {"id": "a", "name": {"x": 1}},
    {"id": "a", "name": "\ud800"},
    {"id": "a", "isActive": "yes"},
    "a",
]
