"""The API's OpenAPI document and its page, made from the code at build time; no function imports this at run time."""

from tools.openapi.document import make
from tools.openapi.page import as_html

__all__ = ["as_html", "make"]
