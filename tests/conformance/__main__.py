"""python -m tests.conformance --base-url URL --secret S: prints each case's verdict; exits 1 if one failed."""

import argparse
import sys
from http.client import HTTPException

from tests.conformance.client import Casino
from tests.conformance.judgement import all_cases


def main() -> int:
    """Run the command; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--base-url", required=True, help="where the casino is, e.g. http://127.0.0.1:8080")
    parser.add_argument("--secret", required=True, help="the secret of the calls to /casino/*")
    parser.add_argument("--game-id", type=int, default=1, help="a game of the provider (default: 1)")
    parser.add_argument("--players-url", help="where test players are made (default: BASE_URL/_local/players)")
    given = parser.parse_args()
    if not given.base_url.startswith(("http://", "https://")):
        parser.error(f"--base-url must begin with http:// or https://: {given.base_url}")
    cases = all_cases()
    failed = 0
    with Casino(given.base_url, given.secret, game_id=given.game_id, players_url=given.players_url) as casino:
        hindrance = _hindrance(casino)
        if hindrance:
            print(f"No case was tried: {hindrance}", file=sys.stderr)
            return 2
        for case in cases:
            try:
                case.run(casino)
            except (AssertionError, OSError, HTTPException) as error:
                failed += 1
                print(f"FAILED  {case.id}\n        {type(error).__name__}: {error}", flush=True)
            else:
                print(f"ok      {case.id}", flush=True)
    print(f"{len(cases)} cases: {len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _hindrance(casino: Casino) -> str:
    """The reason why no case can be judged; "" if a player can be created and their balance read."""
    try:
        casino.player().balance()
    except AssertionError as error:
        return f"{error}. Check --secret, --base-url, --game-id and --players-url."
    except (OSError, HTTPException) as error:
        return f"nothing answers at --base-url or --players-url ({error or type(error).__name__})."
    return ""


if __name__ == "__main__":
    sys.exit(main())
