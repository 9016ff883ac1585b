"""`python -m local up` runs the local stack until Ctrl-C; `with-database` runs a command with a database of its own."""

import argparse
import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from local import ROOT, stopping
from local.errors import StartError

if TYPE_CHECKING:
    from local.stack import Stack


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status, 1 if the stack or the database could not start."""
    options = _options(arguments)
    run, subject = (_up, "local stack") if options.command == "up" else (_with_database, "database")
    try:
        status = stopping.until_stopped(partial(run, options))
    except StartError as error:
        print(f"The {subject} did not start: {error}", file=sys.stderr)
        return 1
    if status is not None:
        return status
    if options.command != "up":
        return 128 + signal.SIGINT
    stopping.tell("stopped")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local", description="The local stack: AWS's services on this machine"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything and stay until Ctrl-C")
    up.add_argument("--port", type=int, default=3000, help="of the gateway (default 3000, 0 = any free port)")
    up.add_argument("--containers", action="store_true", help="also listen on Docker's bridge, for `sam local`")
    up.add_argument("--state-folder", type=Path, default=ROOT / ".local", help="for stack.json and logs")
    up.add_argument("--template", type=Path, default=ROOT / "template.yaml", help="the SAM template")
    up.add_argument("--bare", action="store_true", help="only gateway and functions: no Postgres, no AWS services")
    with_database = commands.add_parser(
        "with-database",
        help="run a command with a new, migrated database",
        description="Run a command with a new, migrated database: its DATABASE_URL is the URL of the owner. It is on "
        "an embedded server of its own, never on the server of your DATABASE_URL, and is gone afterwards.",
    )
    with_database.add_argument("program", help="the command and its arguments")
    with_database.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.command == "with-database":
        program = shutil.which(options.program)
        if program is None:
            parser.error(f"there is no command {options.program}")
        options.program = program
    return options


def _up(options: argparse.Namespace) -> int:
    from local.services import demo_objects
    from local.stack import Stack

    stack = Stack(
        port=options.port,
        state_folder=options.state_folder,
        template=options.template,
        admin_url=os.environ.get("DATABASE_URL") or None,
        containers=options.containers,
        bare=options.bare,
        progress=_say,
    )
    with stack:
        if not options.bare:
            demo_objects.make(stack.base_url, stack.database_urls["superuser"], stack.info["tokens"])
        _describe(stack)
        while True:
            signal.pause()


def _with_database(options: argparse.Namespace) -> int:
    """Run the command; returns its exit status, as a shell does: 128 and the signal's number if one ended it."""
    from local.processes import children
    from local.services import fresh_database

    with fresh_database.opened() as url:
        # Ctrl-C reaches the command as well, which ends or, like psql, goes on.
        signal.signal(signal.SIGINT, lambda *_: None)
        status = children.run([options.program, *options.arguments], {**os.environ, "DATABASE_URL": url})
    return status if status >= 0 else 128 - status


def _describe(stack: "Stack") -> None:
    routes = [(route.method, route.path, function.name) for function in stack.functions for route in function.routes]
    width = max((len(path) for _, path, _ in routes), default=0)
    for method, path, name in routes:
        print(f"  {method:6} {path:{width}}  {name}")
    print(
        f"{stack.base_url} (logs, stack.json and sam-env.json in {stack.state_folder}; Ctrl-C stops)",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
