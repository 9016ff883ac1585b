"""The three files of the template, each alone and as one."""

from pathlib import Path
from typing import Any

from local.template.intrinsics import parse
from local.template.nested import inlined, with_values

ROOT = Path(__file__).parents[2]
MAIN, AROUND, FOUNDATION = FILES = ("template.yaml", "stacks/around.yaml", "stacks/foundation.yaml")


def read(name: str) -> dict[str, Any]:
    """Return one of the files, its intrinsic functions in their long forms and its loops unrolled."""
    return parse((ROOT / name).read_text())


def as_one() -> dict[str, Any]:
    """Return one template with the resources of all three.

    Parameters that the nesting template or the foundation gives are replaced by what they are: `Ref: StorageKeyArn` is
    the attribute Arn of StorageKey.
    """
    foundation = with_values(read(FOUNDATION), {"DeploymentName": {"Ref": "AWS::StackName"}})
    outputs = {name: output["Value"] for name, output in foundation["Outputs"].items()}
    main = with_values(inlined(read(MAIN), ROOT), outputs)
    for part in ("Parameters", "Conditions", "Mappings", "Resources"):
        ours, others = main.setdefault(part, {}), foundation.get(part, {})
        if part == "Resources" and set(ours) & set(others):
            raise ValueError(f"in two files: {set(ours) & set(others)}")
        main[part] = {**others, **ours}
    return main
