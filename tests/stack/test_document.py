from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from penstock.errors import BadConfiguration
from penstock.stack.changing.document import Document
from penstock.stack.changing.editing.yaml_text import plain

FILE = Path("penstock.yaml")

TEXT = """\
# The team's stacks.

active: prod

# what runs the steps
orchestrators:   # two of them
  # the old one
  kf: {flavor: kubeflow, host: "${env:KFP_HOST}"}  # ask us
  # oven: {flavor: oven}

artifact_stores:
  bucket:
    flavor: s3   # Amazon's
    path: 's3://b/x'

stacks:
  prod: {orchestrator: kf, artifact_store: bucket}
# the end"""

SCHEMA = "# yaml-language-server: $schema=.penstock/schema.json\n"


def document(text: str = TEXT) -> Document:
    return Document(text, FILE)


def refused(text: str, *put: Any) -> str:
    found = document(text)
    with pytest.raises(BadConfiguration) as caught:
        found.put(*put)
    assert found.text == text
    return str(caught.value)


def test_a_new_entry_stands_at_the_end_of_its_section_and_is_written_like_its_neighbours() -> None:
    found = document()

    found.put("orchestrators", "big", {"flavor": "oven", "host": "${env:OVEN}", "labels": ["a"]})

    new = '  big: {flavor: oven, host: "${env:OVEN}", labels: [a]}\n'
    old = "  # oven: {flavor: oven}\n"
    assert found.text == TEXT.replace(old, old + new)
    assert found.line("orchestrators", "big") == 10


@pytest.mark.parametrize(
    "top", ["# the team's\n# and ours\n", "\n# ours\n", "---\n# ours\n", f"{SCHEMA}# ours\n"]
)
def test_the_heading_of_a_file_stays_on_top(top: str) -> None:
    found = document(f"{top}stacks:\n  a: {{orchestrator: default, artifact_store: default}}\n")

    found.set_active("a")
    found.put("orchestrators", "big", {"flavor": "oven"})

    below = "active: a\norchestrators:\n  big: {flavor: oven}\nstacks:"
    assert found.text.startswith(f"{top}{below}")


@pytest.mark.parametrize("top", ["# ours\n\n", SCHEMA + "\n# ours\n\n", "# ours\n\n# more\n\n"])
def test_a_comment_below_the_heading_is_of_its_section(top: str) -> None:
    stacks = "stacks:\n  a: {orchestrator: default, artifact_store: default}\n"
    found = document(f"{top}# which\n{stacks}")

    found.set_active("a")

    assert found.text.startswith(f"{top}active: a\n# which\nstacks:")


def test_a_changed_option_is_all_that_changes() -> None:
    found = document()

    found.put("artifact_stores", "bucket", {"flavor": "s3", "path": "s3://b/it's"})

    assert found.text == TEXT.replace("'s3://b/x'", "'s3://b/it''s'")


def test_a_new_option_stands_behind_the_others_and_an_old_one_goes() -> None:
    found = document()

    found.put("artifact_stores", "bucket", {"flavor": "s3", "region": "eu"})

    assert found.text == TEXT.replace("    path: 's3://b/x'\n", "    region: eu\n")


def test_a_new_section_stands_where_one_looks_for_it() -> None:
    found = document()

    found.put("step_operators", "gpu", {"flavor": "oven"})
    found.put_flavor("orchestrator", "mine", "my.pkg:Mine")

    assert [line for line in found.text.splitlines() if line[:1].isalpha()] == [
        "active: prod", "orchestrators:   # two of them", "artifact_stores:", "step_operators:",
        "flavors:", "stacks:",
    ]  # fmt: skip
    assert "\n\nstep_operators:\n  gpu: {flavor: oven}\n\nflavors:\n" in found.text
    assert found.configuration.flavors == {"orchestrator": {"mine": "my.pkg:Mine"}}


def test_what_is_taken_out_is_given_back() -> None:
    found = document()

    assert found.remove("stacks", "prod") == {"orchestrator": "kf", "artifact_store": "bucket"}
    assert found.remove("orchestrators", "kf")["flavor"] == "kubeflow"
    assert found.configuration.stacks == {}


def test_a_heading_with_comments_stays_and_one_without_goes_with_its_last_entry() -> None:
    found = document()

    found.remove("stacks", "prod")
    found.remove("artifact_stores", "bucket")
    found.remove("orchestrators", "kf")

    assert found.text == (
        "# The team's stacks.\n\nactive: prod\n\n# what runs the steps\n"
        "orchestrators: {}   # two of them\n  # the old one\n  # oven: {flavor: oven}\n# the end"
    )


def test_a_flavor_goes_with_its_headings() -> None:
    found = document()
    found.put_flavor("orchestrator", "mine", "my.pkg:Mine")

    assert found.remove_flavor("orchestrator", "mine") == "my.pkg:Mine"
    assert found.text == TEXT


def test_the_active_stack_stands_at_the_top_below_the_line_for_editors() -> None:
    text = f"{SCHEMA}\n# ours\n\n# the ovens\norchestrators:\n"
    found = document(text)

    found.set_active("default")
    assert found.text.splitlines()[4:6] == ["active: default", "# the ovens"]
    found.set_active("other")
    assert found.configuration.active == "other"
    found.set_active(None)
    found.set_active(None)
    assert found.text == text


@pytest.mark.parametrize("text", ["", "# a\n", "---\n", "{}", "~\n", "orchestrators:", "\n\n"])
def test_what_says_nothing_yet_can_be_filled(text: str) -> None:
    found = document(text)

    found.put("orchestrators", "big", {"flavor": "oven"})

    says = YAML(typ="safe", pure=True).load(found.text)
    assert says == {"orchestrators": {"big": {"flavor": "oven"}}}
    assert "\n  big:\n    flavor: oven" in found.text


def test_brackets_over_several_lines_get_a_line_more() -> None:
    found = document("orchestrators: {\n  a: {flavor: x}  # one\n}\n")

    found.put("orchestrators", "b", {"flavor": "x"})
    assert found.text == "orchestrators: {\n  a: {flavor: x},  # one\n  b: {flavor: x}\n}\n"
    found.remove("orchestrators", "b")
    assert found.configuration.components[0].name == "a"
    assert "# one" in found.text


def test_lists_lose_and_gain_items_where_they_stand() -> None:
    text = "orchestrators:\n  a:\n    flavor: x\n    all:\n    - one  # 1\n    - two  # 2\n"
    found = document(text)

    found.put("orchestrators", "a", {"flavor": "x", "all": ["two", "three"]})
    found.put("orchestrators", "a", {"flavor": "x", "all": ["two"]})
    found.put("orchestrators", "a", {"flavor": "x", "all": ["two", "three"]})

    assert found.text == text.replace("    - one  # 1\n", "") + "    - three\n"


@pytest.mark.parametrize(
    "value",
    ["|\n      a # b\n\n", "|+\n      a\n\n\n", ">-  # why\n      a\n      b\n", '"a\n      b"\n'],
)
def test_text_over_several_lines_stays_as_it_is(value: str) -> None:
    text = f"orchestrators:\n  a:\n    flavor: x\n    host: {value}stacks:\n"
    found = document(text)

    found.put("orchestrators", "b", {"flavor": "x"})
    assert found.text.startswith(text.removesuffix("stacks:\n").rstrip())
    found.remove("orchestrators", "b")
    found.put("stacks", "s", {"orchestrator": "a", "artifact_store": "default"})
    assert found.text.startswith(text)


def test_a_directive_and_the_marks_of_a_document_stay() -> None:
    found = document("%YAML 1.2\n---\n# ovens\norchestrators:\n  a: {flavor: x}\n...\n")

    found.put("stacks", "s", {"orchestrator": "a", "artifact_store": "default"})
    found.set_active("s")

    assert found.text == (
        "%YAML 1.2\n---\nactive: s\n# ovens\norchestrators:\n  a: {flavor: x}\n"
        "stacks:\n  s: {orchestrator: a, artifact_store: default}\n...\n"
    )


def test_mappings_in_lists_are_filled_where_they_stand() -> None:
    found = document("orchestrators:\n  a:\n    flavor: x\n    all:\n    - one:\n      two: 2\n")

    found.put("orchestrators", "a", {"flavor": "x", "all": [{"one": {"b": 1}, "two": 2, "c": 3}]})

    assert found.text.endswith("    - one:\n        b: 1\n      two: 2\n      c: 3\n")


def test_deep_nesting_is_edited_or_refused_and_never_a_crash() -> None:
    deep = "[" * 150 + "]" * 150
    found = document(f"orchestrators:\n  a: {{flavor: x, all: {deep}}}\n")

    found.put("orchestrators", "b", {"flavor": "x"})

    assert deep in found.text


def test_numbers_of_another_kind_are_another_value() -> None:
    found = document("orchestrators:\n  a: {flavor: x, n: 1}\n")

    found.put("orchestrators", "a", {"flavor": "x", "n": True})
    assert "n: true" in found.text
    found.put("orchestrators", "a", {"flavor": "x", "n": 1.0})
    assert "n: 1.0" in found.text


TEXTS = [
    "yes", "1_0", "0x1", "~", "a: b", "a #b", "", " a", "\x85", "{a}", "2026-11-22",
    "null", "\u2028", "a\nb", "'", "\\", "x" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_text_stays_text(text: str) -> None:
    found = document("")

    found.put("orchestrators", "a", {"flavor": "x", "host": text})

    assert YAML(typ="safe", pure=True).load(found.text)["orchestrators"]["a"]["host"] == text
    assert found.configuration.components[0].options == {"host": text}


def test_what_no_file_can_hold_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="is not Unicode"):
        document("").put("orchestrators", "a", {"flavor": "x", "host": "\ud800"})


TIED = """\
orchestrators:
  a: &a {flavor: x, one: 1}
  b: {<<: *a, two: 2}
  c: *a
"""


def test_an_entry_that_others_are_tied_to_is_not_edited() -> None:
    assert refused(TIED, "orchestrators", "a", {"flavor": "x", "one": 3}) == (
        "penstock.yaml:2:3: 'a' cannot be edited here: something else is tied to it, by an alias "
        "or '<<'. Nothing was written.\n"
        "Write by hand:\norchestrators:\n  a: {flavor: x, one: 3}"
    )
    with pytest.raises(BadConfiguration, match=r"undefined alias 'a'.*\nTake it out by hand"):
        document(TIED).remove("orchestrators", "a")


def test_an_option_that_comes_from_another_entry_cannot_go_but_can_be_overruled() -> None:
    said = refused(TIED, "orchestrators", "b", {"flavor": "x", "two": 2})
    assert "'one' comes from another entry, by '<<'" in said
    found = document(TIED)

    found.put("orchestrators", "b", {"flavor": "x", "one": 3, "two": 2})

    assert found.text == TIED.replace("two: 2}", "two: 2, one: 3}")


def test_an_alias_that_is_changed_becomes_an_entry_of_its_own() -> None:
    found = document(TIED)

    found.put("orchestrators", "c", {"flavor": "x", "one": 3})

    assert found.text == TIED.replace("*a\n", "{flavor: x, one: 3}\n")


def test_what_would_cost_a_comment_is_refused() -> None:
    text = "orchestrators:\n  a:\n    flavor: x\n    all:\n    - one\n    # why\n    - two\n"

    said = refused(text, "orchestrators", "a", {"flavor": "x", "all": "one"})

    assert "penstock.yaml:2:3: 'a' cannot be edited here: comments stand within" in said


def test_what_would_not_be_right_is_refused() -> None:
    said = refused(TEXT, "stacks", "b", {"orchestrator": "kff", "artifact_store": "default"})

    assert said.startswith("Nothing was written; it would not be right:\n  penstock.yaml:18:")
    assert "Did you mean 'kf'?" in said


@pytest.mark.parametrize("value", [object(), b"x", {1: 2}, {"a": [object]}])
def test_what_is_no_plain_data_is_refused(value: object) -> None:
    assert "cannot be edited here" in refused(TEXT, "orchestrators", "x", {"flavor": value})


def test_what_is_not_there_cannot_be_taken_out() -> None:
    with pytest.raises(BadConfiguration, match="has no 'x' in its section 'stacks'"):
        document().remove("stacks", "x")


def test_a_file_does_not_grow_beyond_what_is_read() -> None:
    assert "larger than the 1 MiB" in refused("", "orchestrators", "x", {"flavor": "a" * 2**20})


def test_plain_data_is_of_the_plain_types() -> None:
    class Text(str): ...

    found = plain({Text("a"): (Text("b"), True, 1, 1.5, None)})

    assert found == {"a": ["b", True, 1, 1.5, None]}
    assert type(next(iter(found))) is type(found["a"][0]) is str


def test_all_complaints_about_a_file_come_at_once() -> None:
    with pytest.raises(BadConfiguration, match="has 2 problems"):
        document("active: 5\nstacks: [1]\n")
