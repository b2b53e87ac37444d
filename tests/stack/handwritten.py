"""Random penstock.yaml files as people write them, each line with the entry that it belongs to."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

COMPONENTS = ("orchestrators", "artifact_stores", "step_operators")
SECTIONS = (*COMPONENTS, "stacks")
WORDS = ("a", "s3://b/x", "10Gi", "it's", 'say "x"', "a # b", "yes", "1.0", "x: y", "{z}", "é", "")
NAMES = st.sampled_from(["kf", "big-one", "b_2", "c.3", "true", "7"])

scalars = st.one_of(
    st.sampled_from(WORDS), st.text(max_size=8), st.integers(), st.booleans(), st.none(),
    st.floats(allow_nan=False),
)  # fmt: skip
keys = st.sampled_from(["host", "path", "labels", "n", "x-y", "null", "a b", "ü"])
values = st.recursive(
    scalars, lambda one: st.lists(one, max_size=3) | st.dictionaries(keys, one, max_size=3)
)


def entries(section: str) -> st.SearchStrategy[dict[str, Any]]:
    """What may stand there, as plain data."""
    if section == "stacks":
        steps = st.dictionaries(st.sampled_from(["train", "test"]), st.just({"retries": 2}))
        return st.fixed_dictionaries(
            {"orchestrator": st.just("default"), "artifact_store": st.just("default")},
            optional={"steps": steps, "secrets": st.just({"KEY": "${env:KEY}"})},
        )
    return st.dictionaries(keys, values, max_size=4).map(lambda rest: {"flavor": "x", **rest})


@dataclass
class Handwritten:
    """A file, and what it says."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    """The owner of each line, `section.name`, a section or nothing, and its text."""
    says: dict[str, Any] = field(default_factory=dict)
    newline: str = "\n"
    ends: bool = True
    tied: bool = False
    """Whether there are anchors in it."""

    @property
    def text(self) -> str:
        joined = self.newline.join(text for _, text in self.lines)
        return joined + self.newline if self.ends and joined else joined


class Hand:
    """Writes one file, as `draw` wants it."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self.file = Handwritten(
            newline=draw(st.sampled_from(["\n", "\r\n"])), ends=draw(st.booleans())
        )
        self._unit = " " * draw(st.sampled_from([2, 2, 4]))
        self._apart = draw(st.booleans())
        self._count = 0

    def _chance(self) -> bool:
        return bool(self._draw(st.integers(0, 3)) == 3)

    def _say(self, owner: str, text: str, depth: int = 0, *, bare: bool = False) -> None:
        self._count += 1
        note = f"  # of {owner} {self._count}." if not bare and self._chance() else ""
        self.file.lines.append((owner, f"{self._unit * depth}{text}{note}"))

    def _remark(self, owner: str, depth: int) -> None:
        while self._chance():
            self._count += 1
            self._say(owner, f"# of {owner} {self._count}.", depth, bare=True)

    def write(self) -> Handwritten:
        self._remark("", 0)
        for section in self._draw(st.lists(st.sampled_from(SECTIONS), unique=True)):
            if self._apart and self.file.lines:
                self._say(section, "", bare=True)
            self._remark("", 0)
            self._section(section)
        self._remark("", 0)
        return self.file

    def _section(self, section: str) -> None:
        found = self._draw(st.dictionaries(NAMES, entries(section), max_size=3))
        self.file.says[section] = found
        if not found:
            self._say(section, self._draw(st.sampled_from([f"{section}:", f"{section}: {{}}"])))
            self._remark(section, 1)
        elif self._chance():
            self._say(section, f"{section}: {self._flow(found)}")
        elif self._chance():
            self._say(section, f"{section}: {{", bare=True)
            last = self._draw(st.sampled_from(["", ","]))
            for index, (name, entry) in enumerate(found.items()):
                comma = "," if index < len(found) - 1 else last
                self._say(section, f"{self._scalar(name)}: {self._flow(entry)}{comma}", 1)
            self._say(section, "}")
        else:
            self._say(section, f"{section}:")
            self._block(section, found)

    def _block(self, section: str, found: dict[str, Any]) -> None:
        anchor = ""
        for index, (name, entry) in enumerate(found.items()):
            if self._apart and index:
                self._say(section, "", bare=True)
            self._remark(section, 1)
            owner = f"{section}.{name}"
            if anchor and self._chance():
                found[name] = found[anchor]
                self._say(owner, f"{self._scalar(name)}: *tie-{section}", 1)
                continue
            tie = ""
            if not anchor and self._chance():
                anchor, tie, self.file.tied = name, f" &tie-{section}", True
            if self._chance():
                self._say(owner, f"{self._scalar(name)}:{tie} {self._flow(entry)}", 1)
                continue
            self._say(owner, f"{self._scalar(name)}:{tie}", 1)
            if anchor and not tie and self._chance():
                found[name] = found[anchor] | entry
                self._say(owner, f"<<: *tie-{section}", 2)
            for key, value in entry.items():
                self._remark(owner, 2)
                self._pair(owner, key, value, 2)
            self._remark(owner, 2)

    def _pair(self, owner: str, key: str, value: Any, depth: int) -> None:
        head = f"{self._scalar(key)}:"
        if value and isinstance(value, dict) and self._chance():
            self._say(owner, head, depth)
            for inner, item in value.items():
                self._remark(owner, depth + 1)
                self._pair(owner, inner, item, depth + 1)
        elif value and isinstance(value, list) and self._chance():
            self._say(owner, head, depth)
            inner = depth + self._draw(st.integers(0, 1))
            for item in value:
                self._remark(owner, inner)
                self._say(owner, f"- {self._flow(item)}", inner)
        elif value in WORDS and value and self._chance():
            self._say(owner, f"{head} |-", depth)
            self._say(owner, str(value), depth + 1, bare=True)
        else:
            self._say(owner, f"{head} {self._flow(value)}", depth)

    def _flow(self, value: Any) -> str:
        if isinstance(value, dict):
            inner = [f"{self._scalar(key)}: {self._flow(item)}" for key, item in value.items()]
            return "{" + ", ".join(inner) + self._draw(st.sampled_from(["}", " }"]))
        if isinstance(value, list):
            return "[" + ", ".join(map(self._flow, value)) + "]"
        return self._scalar(value)

    def _scalar(self, value: Any) -> str:
        if isinstance(value, str):
            if value in ("flavor", "default", "x", "host", "path", "kf") and self._chance():
                return value
            if value.isprintable() and self._chance():
                return "'" + value.replace("'", "''") + "'"
            return '"' + "".join(f"\\U{ord(each):08x}" if each in '"\\' or not each.isprintable()
                                 else each for each in value) + '"'  # fmt: skip
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            return ".inf" if value > 0 else "-.inf"
        known: dict[Any, str] = {None: "null", True: "true", False: "false"}
        return known[value] if isinstance(value, bool | None) else repr(value)


@st.composite
def files(draw: Any) -> Handwritten:
    return Hand(draw).write()
