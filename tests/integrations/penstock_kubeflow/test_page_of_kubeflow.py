"""The page on Kubeflow has every option with its default, and every setting."""

import re
from pathlib import Path

from penstock.stack.describe import Option, options
from penstock_kubeflow import KubeflowOrchestrator
from penstock_kubeflow.settings import NAMES, read

PAGE = (Path(__file__).parents[3] / "docs/how-to/kubeflow.md").read_text("utf-8")
OPTION = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
SETTING = re.compile(r"^\| (`[\w`, ]+`) \| [^|]+ \|$", re.MULTILINE)


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def default(option: Option) -> str:
    return "none" if option.default in (None, "", {}, ()) else f"`{option.default}`"


def test_the_table_has_all_options_with_their_defaults() -> None:
    rows = {name: written for name, written, _ in OPTION.findall(section("Options"))}

    assert rows == {each.name: default(each) for each in options(KubeflowOrchestrator)}


def test_the_table_has_all_settings() -> None:
    rows = [name for row in SETTING.findall(section("Settings")) for name in row.split("`")[1::2]]

    assert sorted(rows) == sorted(NAMES)


def test_an_example_of_more_than_one_word_is_read() -> None:
    """The rest are words and numbers."""
    affinity = [{"labels": [{"key": "zone", "values": ["a", "b"]}], "weight": 10}]
    taint = [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]

    assert "[{labels: [{key: zone, values: [a, b]}]}]" in PAGE
    assert "[{key: gpu, operator: Exists, effect: NoSchedule}]" in PAGE
    assert read({"node_affinity": affinity, "tolerations": taint, "empty_dirs": {"/s": "20Gi"}})
