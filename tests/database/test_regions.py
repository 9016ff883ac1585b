"""HUB 61. Countries, time zones and currencies: the reference data of tenants, and what a tenant's row accepts."""

from collections.abc import Iterator
from zoneinfo import available_timezones

import psycopg
import pytest
from psycopg import errors as pg
from psycopg import sql

from tests.database.world import Casino

# Countries without a time zone or a currency for new tenants: the sources name none, or several without a main one.
NO_TIME_ZONE = {
    *("AQ", "AR", "AU", "BR", "BV", "CA", "CD", "CY", "FM", "GL", "HM", "ID", "KI", "KZ", "MN", "MX", "PF", "PG", "PS"),
    *("RU", "UM", "US"),
}
NO_CURRENCY = {"AQ", "BT", "HT", "LS", "NA", "PA", "PS", "ZW"}


def test_python_knows_every_time_zone(shared_casino: Casino) -> None:
    rows = shared_casino.query("SELECT name FROM time_zones")
    names = {row.name for row in rows}

    assert len(names) > 400
    assert names <= available_timezones()
    assert {"UTC", "Asia/Dubai", "Asia/Muscat", "Asia/Calcutta", "America/Argentina/Buenos_Aires"} <= names
    assert not {"Etc/GMT+4", "EST", "GB", "US/Eastern", "localtime", "posixrules", "Factory"} & names


def test_country_has_a_time_zone_and_a_currency_where_the_sources_name_one(shared_casino: Casino) -> None:
    rows = shared_casino.query("SELECT code, time_zone, currency FROM countries")
    found = {row.code: (row.time_zone, row.currency) for row in rows}

    assert len(found) == 249  # ISO 3166-1
    assert {code for code, (zone, _) in found.items() if zone is None} == NO_TIME_ZONE
    assert {code for code, (_, currency) in found.items() if currency is None} == NO_CURRENCY
    assert found["AE"] == ("Asia/Dubai", "AED")
    assert found["DE"] == ("Europe/Berlin", "EUR")
    assert found["BG"] == ("Europe/Sofia", "EUR")


@pytest.fixture
def tenants(shared_casino: Casino) -> Iterator[psycopg.Connection]:
    """A superuser's transaction, rolled back at the end."""
    with psycopg.connect(shared_casino.urls["superuser"]) as database:
        yield database
        database.rollback()


def test_tenant_without_a_country_has_utc_dollars_and_english(tenants: psycopg.Connection) -> None:
    made = tenants.execute(
        """
        INSERT INTO tenants (code, display_name) VALUES ('NOWHERE', 'A tenant')
        RETURNING country, time_zone, currency, language
        """
    ).fetchone()
    assert made == (None, "UTC", "USD", "en")


@pytest.mark.parametrize(
    ("column", "value", "error"),
    [
        ("country", "ZZ", pg.ForeignKeyViolation),
        ("country", "ae", pg.ForeignKeyViolation),
        ("country", "", pg.ForeignKeyViolation),
        ("time_zone", "Asia/Atlantis", pg.ForeignKeyViolation),
        ("time_zone", "asia/dubai", pg.ForeignKeyViolation),
        ("time_zone", "+04:00", pg.ForeignKeyViolation),
        ("time_zone", "Etc/GMT+4", pg.ForeignKeyViolation),
        ("time_zone", None, pg.NotNullViolation),
        ("currency", "AAA", pg.ForeignKeyViolation),
        ("currency", "aed", pg.ForeignKeyViolation),
        ("currency", None, pg.NotNullViolation),
        ("language", "fr", pg.CheckViolation),
        ("language", "EN", pg.CheckViolation),
        ("language", "ar-AE", pg.CheckViolation),
        ("language", None, pg.NotNullViolation),
    ],
)
def test_malformed_region_is_refused(
    tenants: psycopg.Connection, column: str, value: str | None, error: type[psycopg.Error]
) -> None:
    statement = sql.SQL("INSERT INTO tenants (code, display_name, {}) VALUES ('NOWHERE', 'A tenant', %s)")
    with pytest.raises(error):
        tenants.execute(statement.format(sql.Identifier(column)), [value])
