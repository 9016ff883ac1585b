"""The files of the platforms, checked before the stack starts: the catalogue's documents and the sandbox's files."""

from pathlib import Path

from causeway.catalogue import files
from causeway.errors.service import Misconfigured
from local import ROOT
from local.errors import StartError
from local.sandbox.registry import FOLDER, HOW_TO_ADD

CATALOGUE = ROOT / "schema" / "catalogue"


def check(catalogue: Path = CATALOGUE, sandbox: Path = FOLDER) -> None:
    """Check that every document can be loaded, and that each platform is in both folders.

    Raises:
        StartError: the sentence names each wrong or missing file.
    """
    try:
        documents = {provider.key for provider in files.read_folder(catalogue)}
    except Misconfigured as error:
        raise StartError(error.cause) from error
    played = {file.stem for file in sandbox.glob("[!_]*.py")}
    missing = [str(sandbox / f"{key}.py") for key in sorted(documents - played)]
    missing += [str(catalogue / f"{key}.json") for key in sorted(played - documents)]
    if missing:
        raise StartError(f"{', '.join(missing)} missing: {HOW_TO_ADD}")
