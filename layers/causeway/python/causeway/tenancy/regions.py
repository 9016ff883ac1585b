"""The regional settings of a tenant: country, time zone, currency and language; a new tenant's follow its country.

The tables countries, time_zones and currencies (schema/0002_tenancy.sql) say which values there are.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from causeway.database.postgres import Transaction
from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import Problem
from causeway.wire.field_types import Text

Country = Annotated[
    str, Text(pattern="[A-Z]{2}"), Field(description="A country of ISO 3166-1, alpha-2.", examples=["AE"])
]
TimeZone = Annotated[
    str,
    Text(64),
    Field(
        description="A time zone that the database knows, with its area, or UTC; not from the area Etc.",
        examples=["Asia/Dubai"],
    ),
]
Currency = Annotated[
    str, Text(pattern="[A-Z]{3,5}"), Field(description="A currency of ISO 4217, or BTC.", examples=["AED"])
]
Language = Annotated[Literal["en", "ar"], Field(description="A language of BCP 47.", examples=["en"])]

# Of a new tenant without a country. US dollars: each payment platform with a public list of currencies takes them.
_WITHOUT_COUNTRY = {"time_zone": "UTC", "currency": "USD"}
# In every country: error sentences and documents are in English. A tenant that wants Arabic says so.
_LANGUAGE = "en"
_RULES = {
    "country": "must be a country of ISO 3166-1, such as AE",
    "time_zone": "must be a time zone that the database knows, with its area, such as Asia/Dubai, or UTC",
    "currency": "must be a currency of ISO 4217, such as AED, or BTC",
}
_PATHS = {"country": "country", "time_zone": "timeZone", "currency": "currency"}
_KNOWN = """
    SELECT (SELECT code FROM countries WHERE code = %(country)s) AS country,
        (SELECT name FROM time_zones WHERE name = %(time_zone)s) AS time_zone,
        (SELECT code FROM currencies WHERE code = %(currency)s) AS currency,
        c.time_zone AS default_time_zone, c.currency AS default_currency
    FROM (SELECT) AS one LEFT JOIN countries AS c ON c.code = %(country)s
"""


def check(transaction: Transaction, sent: Mapping[str, Any]) -> None:
    """Raise InvalidRequest where the database does not know a value.

    Args:
        transaction: of the hub's login.
        sent: the settings that were sent, by column; one that is absent or None is not checked.
    """
    if any(sent.get(name) is not None for name in _RULES):
        _refuse(_unknown(_found(transaction, sent), sent))


def of_new_tenant(transaction: Transaction, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings of a new tenant, by column: those that were sent, and for the others its country's.

    Args:
        transaction: of the hub's login.
        sent: the settings that were sent, by column; None: not sent.

    Raises:
        InvalidRequest: a value is not known, or the country has several time zones or currencies, or none, and the
            tenant sent no choice.
    """
    found = _found(transaction, sent)
    problems = _unknown(found, sent)
    chosen = {"country": sent.get("country"), "language": sent.get("language") or _LANGUAGE}
    for name, without_country in _WITHOUT_COUNTRY.items():
        default = without_country if chosen["country"] is None else getattr(found, f"default_{name}")
        chosen[name] = sent.get(name) or default
        if chosen[name] is None and found.country is not None:
            problems.append(Problem(_PATHS[name], "is missing: this country has several of them, or none"))
    _refuse(problems)
    return chosen


def _found(transaction: Transaction, sent: Mapping[str, Any]) -> Any:
    [row] = transaction.execute(_KNOWN, {name: sent.get(name) for name in _RULES}).fetchall()
    return row


def _unknown(found: Any, sent: Mapping[str, Any]) -> list[Problem]:
    wrong = [name for name in _RULES if sent.get(name) is not None and getattr(found, name) is None]
    return [Problem(_PATHS[name], _RULES[name]) for name in wrong]


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InvalidRequest.of_problems(problems)
