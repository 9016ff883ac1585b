"""`python -m tools.chain_audit ledger`: checks every wallet and signs the heads of the chains."""

import argparse
from collections.abc import Iterator
from typing import Any

import psycopg

from causeway import settings
from causeway.casino.ledger.heads import SignedHeads
from causeway.casino.ledger.verifier import LedgerTotals, verify
from causeway.errors.service import Misconfigured
from tools.chain_audit import runner

SUMMARY = (
    "Check every wallet. The heads of the chains and settled facts are signed with the key in LEDGER_AUDIT_KEY, and "
    "compared with what earlier audits signed."
)

_FAILURE = "The audit could not run"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this audit."""
    signing = parser.add_mutually_exclusive_group()
    signing.add_argument(
        "--without-heads",
        action="store_true",
        help="compare nothing signed and sign nothing (on a replica, or without the key): rewritten rows, a cut tail "
        "or a changed fact are not found",
    )
    signing.add_argument(
        "--new-series",
        action="store_true",
        help="start a new series with a new key, after the old key was lost or leaked: what earlier audits signed is "
        "not compared, which is a finding of this run",
    )


def run(options: argparse.Namespace) -> int:
    """Run the audit; returns the process's exit status."""
    totals = LedgerTotals()
    signed = ""

    def findings(database: psycopg.Connection[Any]) -> Iterator[object]:
        nonlocal signed
        heads = None
        if not options.without_heads:
            heads = SignedHeads(database, settings.ledger_audit_key(), new_series=options.new_series)
        yield from verify(database, totals, heads)
        if totals.wallet_money + totals.house_money != 0:
            yield f"wallets hold {totals.wallet_money}, the house's accounts {totals.house_money}: not zero together"
        if heads is not None:
            number = heads.write(database)
            signed = ", nothing signed" if number is None else f", audit run {number}"

    def summary() -> str:
        return f"{totals.wallets} wallets, {totals.rows} rows{signed}"

    try:
        return runner.report(options.database_url, "casino_wallets", _FAILURE, findings, summary)
    except Misconfigured as error:
        return runner.not_run(_FAILURE, str(error))
