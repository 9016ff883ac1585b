"""Runs an audit against a database, and prints its findings and a summary."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from causeway.database import failures, snapshots, urls


def report(
    database_url: str,
    table: str,
    failure: str,
    audit: Callable[[psycopg.Connection[Any]], Iterable[object]],
    summary: Callable[[], str],
) -> int:
    """Print the findings of an audit, one a line, and a summary.

    Args:
        database_url: of a role that reads every tenant.
        table: a table that the role must read completely.
        failure: the sentence printed before the reason, if the audit cannot run.
        audit: yields the findings.
        summary: called at the end; returns what was checked.

    Returns:
        The process's exit status: 0, 1 if there are findings, 2 if the audit could not run.
    """
    findings = 0
    try:
        urls.check(database_url)
        with psycopg.connect(database_url, autocommit=True) as database:
            if snapshots.is_hidden(database, table):
                return not_run(failure, "the role does not read every tenant, causeway_auditor does")
            for finding in audit(database):
                findings += 1
                sys.stdout.write(f"{finding}\n")
    except urls.WrongUrl as error:
        return not_run(failure, f"{error}: give postgresql://user:password@host/database")
    except psycopg.Error as error:
        return not_run(failure, failures.reason_of(error))
    sys.stdout.write(f"{summary()}, {findings} findings\n")
    return 1 if findings else 0


def not_run(failure: str, reason: str) -> int:
    """Print why an audit could not run; returns the exit status for it."""
    sys.stderr.write(f"{failure}: {reason}\n")
    return 2
