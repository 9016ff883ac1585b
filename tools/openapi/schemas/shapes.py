"""The parts of schemas: kinds of value that several families share."""

from typing import Any

from causeway.wire import pages
from causeway.wire.fields import LARGEST_INTEGER

Schema = dict[str, Any]

TIME: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "format": "uuid"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
# A numeric id, as fields.integer_field reads it.
NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": LARGEST_INTEGER}
# A text id, as fields.id_field reads it.
SHORT: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
VERSION: Schema = {
    "type": "integer",
    "minimum": 1,
    "description": "The object's version; the ETag is this number in quotes.",
}
MONEY: Schema = {"type": "string", "pattern": "^-?[0-9]+$", "description": "Minor units."}
_CURSORS: dict[str, Schema] = {
    "nextCursor": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last page."},
    "prevCursor": {"type": ["string", "null"], "description": "The cursor of the page before; null on the first page."},
}


def text(most: int, least: int = 1) -> Schema:
    """Return the schema of a text. most, least: characters."""
    return {"type": "string", "minLength": least, "maxLength": most}


def or_null(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    return schema | {"type": [schema["type"], "null"]}


def list_of(items: Schema) -> Schema:
    """Return the schema of a list of any length."""
    return {"type": "array", "items": items}


def object_of(properties: dict[str, Schema], *optional: str, closed: bool = True, **more: Any) -> Schema:
    """Return the schema of an object; all properties but the optional ones are required. closed: it has no others."""
    schema: Schema = {"type": "object", "properties": properties}
    required = [name for name in properties if name not in optional]
    if required:
        schema["required"] = required
    return schema | ({"additionalProperties": False} if closed else {}) | more


def query_of(properties: dict[str, Schema]) -> Schema:
    """Return the schema of a query; every parameter is optional."""
    return object_of(properties, *properties)


def page_of(field: str, row: str) -> Schema:
    """Return the schema of a page of a list. field: the property with the rows; row: the name of their schema."""
    return object_of({field: list_of(ref(row))} | _CURSORS)


def page_query(listing: pages.Listing, **filters: Schema) -> Schema:
    """Return the schema of a list's query, as Listing.request reads it."""
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": listing.most_rows, "default": listing.rows}
    cursor = text(pages.LONGEST_CURSOR) | {"description": "nextCursor or prevCursor of another page."}
    return query_of(filters | {"limit": limit, "cursor": cursor})


def ref(name: str) -> Schema:
    """Return a reference to the schema of a name."""
    return {"$ref": f"#/components/schemas/{name}"}
