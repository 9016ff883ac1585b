"""`python -m local up` runs the local stack until Ctrl-C; `with-database` runs a command with a database of its own."""

import argparse
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from local import ROOT
from local.errors import StartError
from local.processes import children
from local.services import demo_objects, fresh_database
from local.stack import Stack


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM: raised in the main thread wherever it is, so that it also stops the start-up."""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    # The end takes seconds during the start-up. The signal may have interrupted a print, so this is none.
    with suppress(OSError):  # nobody reads it any more
        os.write(sys.stderr.fileno(), b"stopping\n")
    raise _Stopped


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status, 1 if the stack or the database could not start."""
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
        description="Run a command with a new, migrated database: DATABASE_URL is the URL of its owner. It is on the "
        "server of DATABASE_URL, or on an embedded one, and is gone afterwards.",
    )
    with_database.add_argument("program", help="the command and its arguments")
    with_database.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    program = shutil.which(options.program) if options.command == "with-database" else ""
    if program is None:
        parser.error(f"there is no command {options.program}")
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _interrupt)
    return _up(options) if options.command == "up" else _with_database([program, *options.arguments])


def _up(options: argparse.Namespace) -> int:
    stack = Stack(
        port=options.port,
        state_folder=options.state_folder,
        template=options.template,
        admin_url=os.environ.get("DATABASE_URL") or None,
        containers=options.containers,
        bare=options.bare,
        progress=_say,
    )
    try:
        with stack:
            if not options.bare:
                demo_objects.make(stack.base_url, stack.database_urls["superuser"], stack.info["tokens"])
            _describe(stack)
            while True:
                signal.pause()
    except _Stopped:
        print("stopped", file=sys.stderr)
        return 0
    except StartError as error:
        print(f"The local stack did not start: {error}", file=sys.stderr)
        return 1


def _with_database(command: list[str]) -> int:
    """Run the command; returns its exit status, as a shell does: 128 and the signal's number if one ended it."""
    try:
        with fresh_database.opened(os.environ.get("DATABASE_URL") or None) as url:
            # Ctrl-C reaches the command as well, which ends or, like psql, goes on.
            signal.signal(signal.SIGINT, lambda *_: None)
            status = children.run(command, {**os.environ, "DATABASE_URL": url})
    except _Stopped:
        return 130
    except StartError as error:
        print(f"The database did not start: {error}", file=sys.stderr)
        return 1
    return status if status >= 0 else 128 - status


def _describe(stack: Stack) -> None:
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
