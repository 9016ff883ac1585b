"""What schemas are made of: the kinds of value that several families have."""

from typing import Any

from causeway.wire import pages

Schema = dict[str, Any]

TIME: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "format": "uuid"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
# An id of a player, game or session: fields.integer_field.
NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
# An id that is a text: fields.id_field.
SHORT: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
VERSION: Schema = {"type": "integer", "minimum": 1, "description": "Of the object; its ETag is this in quotes."}
MONEY: Schema = {"type": "string", "pattern": "^-?[0-9]+$", "description": "Minor units."}
_NEXT_CURSOR: Schema = {"type": ["string", "null"], "description": "For the next page; null at the end."}


def text(most: int, least: int = 1) -> Schema:
    """A text of so many characters."""
    return {"type": "string", "minLength": least, "maxLength": most}


def or_null(schema: Schema) -> Schema:
    """What a schema says, or null."""
    return schema | {"type": [schema["type"], "null"]}


def list_of(items: Schema) -> Schema:
    """A list of any length."""
    return {"type": "array", "items": items}


def object_of(properties: dict[str, Schema], *optional: str, closed: bool = True, **more: Any) -> Schema:
    """An object whose properties are all required but the optional ones. closed: no others are taken, or answered."""
    schema: Schema = {"type": "object", "properties": properties}
    required = [name for name in properties if name not in optional]
    if required:
        schema["required"] = required
    return schema | ({"additionalProperties": False} if closed else {}) | more


def query_of(properties: dict[str, Schema]) -> Schema:
    """A query, whose parameters may all be left out."""
    return object_of(properties, *properties)


def page_of(field: str, row: str) -> Schema:
    """A page of a list. field: what its rows stand in; row: the name of their schema."""
    return object_of({field: list_of(ref(row)), "nextCursor": _NEXT_CURSOR})


def page_query(listing: pages.Listing, **filters: Schema) -> Schema:
    """The query of a list, as Listing.request reads it."""
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": listing.most_rows, "default": listing.rows}
    cursor = text(pages.LONGEST_CURSOR) | {"description": "nextCursor of the page before."}
    return query_of(filters | {"limit": limit, "cursor": cursor})


def ref(name: str) -> Schema:
    """The schema of a name."""
    return {"$ref": f"#/components/schemas/{name}"}
