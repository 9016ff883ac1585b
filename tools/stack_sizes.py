"""`python -m tools.stack_sizes`: counts each stack's resources after SAM's transform; fails if one has too many.

It runs in the environment of `make check`, which has SAM's translator.
"""

import logging
import sys
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from boto3 import Session
from samtranslator.parser.parser import Parser  # ty: ignore[import-not-found]
from samtranslator.translator.translator import Translator  # ty: ignore[import-not-found]

from local.template.intrinsics import parse

# CloudFormation's limit is 500: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST = 450

_ROOT = Path(__file__).parents[1]
FILES = ("template.yaml", "stacks/around.yaml", "stacks/foundation.yaml")


def main() -> None:
    """Print each stack's number of resources, now and with 60 functions; exit 1 if one has more than MOST."""
    logging.disable(logging.WARNING)  # the translator's own features
    main_, around, foundation = ((_ROOT / name).read_text() for name in FILES)
    functions = len(deployed(parse(around)))
    now = [transformed(parse(text)).total() for text in (main_, around, foundation)]
    later = [transformed(one).total() for one in (*with_functions(parse(main_), around, 60), parse(foundation))]
    print(f"{'resources after the transform':32} {functions:3} functions  60 functions")
    for name, *sizes in zip(FILES, now, later, strict=True):
        print(f"{name:32} {sizes[0]:13} {sizes[1]:13}")
    if max(*now, *later) > MOST:
        sys.exit(f"A stack has more than {MOST} resources, and CloudFormation takes 500.")


def transformed(document: Mapping[str, Any]) -> Counter[str]:
    """Return the types of the resources of a stack, counted, as SAM's transform makes them.

    Args:
        document: the template, parsed, with its loops unrolled. Resources with a condition are counted too.
    """
    return Counter(resource["Type"] for resource in resources_of(document).values())


def resources_of(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the resources of a stack by their logical ids, as SAM's transform makes them; document: as transformed."""
    template = deepcopy(dict(document))
    if "Serverless" not in str(template.pop("Transform", "")):
        return template["Resources"]
    translator = Translator(None, Parser(), boto_session=Session(region_name="eu-central-1"))
    return translator.translate(_local_paths_as_urls(template), {})["Resources"]


def deployed(around: Mapping[str, Any]) -> list[str]:
    """Return the names in the list of functions of stacks/around.yaml."""
    return [name.strip() for name in around["Parameters"]["Functions"]["Default"].split(",")]


def with_functions(main_: Mapping[str, Any], around: str, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return template.yaml and stacks/around.yaml as they will be with a number of functions.

    The functions to come are copies of one with two routes, the average of those that are planned.

    Args:
        main_: template.yaml, parsed.
        around: the text of stacks/around.yaml.
        number: of deployed functions.
    """
    larger = deepcopy(dict(main_))
    names = deployed(parse(around))
    copied = larger["Resources"]["MembershipsFunction"]
    if len(copied["Properties"]["Events"]) != 2:
        raise ValueError("MembershipsFunction is copied for its two routes")
    for index in range(number - len(names)):
        copy = deepcopy(copied)
        for event in copy["Properties"]["Events"].values():
            event["Properties"]["Path"] = f"/copy{index}{event['Properties']['Path']}"
        copy["Properties"]["Role"] = {"Fn::GetAtt": ["Around", f"Outputs.Copy{index}Role"]}
        larger["Resources"][f"Copy{index}Function"] = copy
        names.append(f"Copy{index}")
    before = "ApiDocs, KeyRotation"
    if before not in around:
        raise ValueError(f"stacks/around.yaml: the list of functions has no {before!r}")
    added = ", ".join(names[len(deployed(parse(around))) :])
    return larger, parse(around.replace(before, f"{before}, {added}" if added else before, 1))


def _local_paths_as_urls(template: dict[str, Any]) -> dict[str, Any]:
    """Replace local folders by addresses, as `sam package` does: the transform takes no others."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties") or {}
        for name in ("CodeUri", "ContentUri", "Location"):
            if name in properties:
                properties[name] = "s3://bucket/key" if name != "Location" else "https://s3.amazonaws.com/bucket/key"
    return template


if __name__ == "__main__":
    main()
