"""Importing a function opens, fetches, times and draws nothing that is kept.

With SnapStart every environment begins with the memory that the import left: a socket would be dead, a time old, and a
random value the same in all of them. https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.findings import none_of

ROOT = Path(__file__).parents[2]
HANDLERS = sorted((ROOT / "functions").glob("*/*.py"))

# Prints what a new process keeps after it has imported functions: every plain value that a module of ours, or an object
# of a class of ours, holds. A time or a random value differs between two processes.
_PROGRAM = """
import gc, json, socket, sys, threading
from importlib.util import module_from_spec, spec_from_file_location

for path in sys.argv[1:]:
    name = "handler/" + "/".join(path.split("/")[-2:])
    spec = spec_from_file_location(name, path)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)

kept, seen = [], set()

def note(place, value):
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        for key, inner in value.items():
            note(f"{place}[{type(key).__name__ if ' at 0x' in repr(key) else repr(key)}]", inner)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            note(f"{place}[{index}]", inner)
    elif isinstance(value, (set, frozenset)):
        kept.append(f"{place} = {sorted(map(repr, value))}")
    elif type(value).__module__.startswith(("causeway", "handler")) and not isinstance(value, type):
        names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
        for name in names:
            note(f"{place}.{name}", getattr(value, name, None))
    elif type(value).__module__ in ("builtins", "datetime", "uuid", "decimal") and " at 0x" not in repr(value):
        kept.append(f"{place} = {value!r}")

for name, loaded in sorted(sys.modules.items()):
    if name.startswith("handler/") or name.split(".")[0] == "causeway":
        for attribute, value in vars(loaded).items():
            if not attribute.startswith("__"):
                note(f"{name}.{attribute}", value)
print(json.dumps({
    "sockets": [repr(one) for one in gc.get_objects() if isinstance(one, socket.socket)],
    "threads": [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()],
    "kept": kept,
}))
"""


def imported(*handlers: Path) -> dict[str, list[str]]:
    """Import functions in a new process, without any setting; returns what the process keeps."""
    path = os.pathsep.join([str(ROOT / "layers" / "causeway" / "python"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *map(str, handlers)],
        env={"PYTHONPATH": path, "PYTHONHASHSEED": "0", "POWERTOOLS_SERVICE_NAME": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_import_of_every_function_keeps_no_socket_thread_clock_or_random_value() -> None:
    first, second = imported(*HANDLERS), imported(*HANDLERS)

    assert (first["sockets"], first["threads"]) == ([], [])
    assert {place.split(".py.")[0] for place in first["kept"] if place.startswith("handler/")} > {"handler/sync/sweep"}
    none_of(set(first["kept"]) ^ set(second["kept"]), "differs between two processes")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("import socket; kept = socket.socket()", "sockets"),
        ("import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "threads"),
    ],
)
def test_socket_or_thread_of_an_import_is_found(tmp_path: Path, line: str, key: str) -> None:
    (tmp_path / "handler.py").write_text(line)

    assert len(imported(tmp_path / "handler.py")[key]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "import time; kept = {'at': [time.time()]}",
        "import time; kept = time.monotonic()",
        "import uuid; kept = uuid.uuid4()",
    ],
)
def test_time_or_random_value_of_an_import_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "handler.py").write_text(line)
    first, second = (imported(tmp_path / "handler.py")["kept"] for _ in range(2))

    assert len(set(first) ^ set(second)) == 2


def test_random_numbers_come_from_the_system() -> None:
    """The generator of the module `random` has its state in memory: every environment would draw the same numbers."""
    shared = [
        f"{source.relative_to(ROOT)}:{node.lineno}: random.{node.attr}"
        for source in [*HANDLERS, *(ROOT / "layers" / "causeway" / "python").rglob("*.py")]
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if (node.value.id, node.attr) != ("random", "SystemRandom") and node.value.id == "random"
    ]
    none_of(shared, "use random.SystemRandom")
