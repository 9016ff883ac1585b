"""The API's OpenAPI document, made from the code, and its web page, made from the document."""
