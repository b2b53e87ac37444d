"""`penstock flavor list`: what a component can be of, also where its library is missing."""

import sys
from pathlib import Path
from typing import Any


def test_every_flavor_has_its_category_and_its_package(penstock: Any) -> None:
    found = {
        (each["category"], each["flavor"]): each
        for each in penstock("flavor", "list", "--json").data
    }

    assert {
        ("orchestrator", "local"),
        ("artifact-store", "local"),
        ("artifact-store", "fsspec"),
    } <= set(found)
    assert found["artifact-store", "s3"] == {
        "category": "artifact-store",
        "flavor": "s3",
        "target": "penstock_s3:S3ArtifactStore",
        "package": "penstock",
    }


def test_a_projects_own_flavor_is_listed_and_not_imported(penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").write_text(
        'flavors: {orchestrator: {mine: "nowhere.at_all:Mine"}}\n'
    )
    lines = penstock("flavor", "list").out.splitlines()

    assert "orchestrator    mine        nowhere.at_all:Mine" in "\n".join(lines)
    assert next(line for line in lines if " mine " in line).endswith("this project")
    assert "nowhere" not in sys.modules


def test_a_category_that_only_a_project_has_is_listed(penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").write_text(
        'flavors: {alerter: {bell: "nowhere:Bell"}}\nalerters: {loud: {flavor: bell}}\n'
    )
    done = penstock("flavor", "list")

    assert "alerter         bell        nowhere:Bell" in done.out
    assert done.err == ""
