"""Random edits of random files: what was meant, and nothing else."""

import re
from pathlib import Path
from typing import Any

from handwritten import NAMES, SECTIONS, Handwritten, entries, files
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from penstock.errors import BadConfiguration
from penstock.stack.changing.document import Document

FILE = Path("penstock.yaml")


def says(text: str) -> dict[str, Any]:
    """What another reader than ours finds in the text, without empty sections."""
    found = YAML(typ="safe", pure=True).load(text) or {}
    return {key: value for key, value in found.items() if value}


def changed(data: st.DataObject, document: Document, target: dict[str, Any]) -> str:
    """Do one random edit, and the same to `target`. Returns what was touched."""
    section = data.draw(st.sampled_from(SECTIONS))
    there = target.setdefault(section, {})
    if there and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(there)))
        if data.draw(st.booleans()):
            assert document.remove(section, name) == there.pop(name)
            return f"{section}.{name}"
        entry = there[name] | data.draw(entries(section))
        for key in data.draw(st.lists(st.sampled_from(sorted(entry)), max_size=2)):
            if key not in ("flavor", "orchestrator", "artifact_store"):
                entry.pop(key, None)
    else:
        name, entry = data.draw(NAMES), data.draw(entries(section))
    document.put(section, name, entry)
    there[name] = entry
    return f"{section}.{name}"


def check_lines(file: Handwritten, text: str, touched: set[str]) -> None:
    """Lines of entries that nobody touched are there, in their order, to the last character."""
    headings = {owner.partition(".")[0] for owner in touched}
    new = re.split("\r?\n", text)
    at = -1
    for owner, line in file.lines:
        if line.strip() and owner not in touched | headings:
            assert line in new[at + 1 :], line
            at = new.index(line, at + 1)


def check_comments(file: Handwritten, text: str, touched: set[str]) -> None:
    """Comments are gone only where an entry was touched."""
    for owner, line in file.lines:
        for comment in re.findall(r"# of \S* \d+\.", line):
            assert owner in touched or comment in text, comment


@given(files(), st.data())
def test_an_edit_does_what_was_meant_and_nothing_else(
    file: Handwritten, data: st.DataObject
) -> None:
    document = Document(file.text, FILE)
    assert says(file.text) == {key: value for key, value in file.says.items() if value}
    touched: set[str] = set()
    target = {key: dict(value) for key, value in file.says.items()}
    for _ in range(data.draw(st.integers(1, 3))):
        before, meant = document.text, {key: dict(value) for key, value in target.items()}
        try:
            touched.add(changed(data, document, target))
        except BadConfiguration as error:
            if not file.tied and "comments stand within" not in str(error):
                raise
            assert document.text == before
            target = meant
        assert says(document.text) == {key: value for key, value in target.items() if value}
    check_lines(file, document.text, touched)
    check_comments(file, document.text, touched)
    assert ("\r" in file.text) == ("\r" in document.text) or "\n" not in file.text


@given(files(), st.data())
def test_what_is_put_in_and_taken_out_leaves_the_text_as_it_was(
    file: Handwritten, data: st.DataObject
) -> None:
    free = [name for name in SECTIONS if file.says.get(name, True)]  # others lose `{}` or null
    document = Document(file.text, FILE)

    for section in data.draw(st.lists(st.sampled_from(free), unique=True)) if free else ():
        document.put(section, "new", data.draw(entries(section)))
        document.remove(section, "new")

    assert _below_its_head(document.text) == _below_its_head(file.text)


def _below_its_head(text: str) -> str:
    """Without the empty lines below comments at the very top: a section that stood there may have
    been what they are about, and the next one is set apart from them."""
    return re.sub(r"\A((?:#.*\r?\n)+)(?:\s*\n)+", r"\1", text).rstrip()
