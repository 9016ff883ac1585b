"""`python3 -m local.look tokens JAQPOT player`: prints a value of the running stack's stack.json.

It imports only the standard library, so that any Python 3 on the machine can run it.
"""

import json
import sys

from local import ROOT


def main(names: list[str]) -> int:
    """Print the value at a path of names; for an unknown name print the known names and return 1."""
    try:
        found = json.loads((ROOT / ".local" / "stack.json").read_text())
    except OSError:
        print("No local stack runs here (.local/stack.json): start one with `make up`.", file=sys.stderr)
        return 1
    for number, name in enumerate(names):
        if not isinstance(found, dict) or name not in found:
            place = " ".join(["stack.json", *names[:number]])
            there = ", ".join(found) if isinstance(found, dict) else "a value without names"
            print(f"{place} has no {name!r}: it has {there}.", file=sys.stderr)
            return 1
        found = found[name]
    print(found if isinstance(found, str) else json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
