"""What a stack is tried at, component by component."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.errors import PenstockError
from penstock.model.component import Finding, StackComponent
from penstock.stack.component import spoken


@dataclass(frozen=True, slots=True, repr=False)
class Checked:
    """What was found, one line each; `ok` if nothing is wrong."""

    stack: str
    findings: Sequence[tuple[StackComponent, Finding]]

    @property
    def ok(self) -> bool:
        """Whether everything works."""
        return all(found.ok for _, found in self.findings)

    @property
    def exit_code(self) -> int:
        """Of the first thing that is wrong, as a run would end of it; 0 if nothing is."""
        return next((found.exit_code for _, found in self.findings if not found.ok), 0)

    def __str__(self) -> str:
        return "\n".join(_line(component, found) for component, found in self.findings)

    __repr__ = __str__  # what a prompt and a notebook show

    def to_data(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "stack": self.stack,
            "ok": self.ok,
            "findings": [
                {
                    "category": component.category,
                    "name": component.name,
                    "what": found.what,
                    "ok": found.ok,
                    "mark": found.mark,
                    "message": found.message,
                    "hint": found.hint,
                }
                for component, found in self.findings
            ],
        }


def check(stack: str, components: Sequence[StackComponent]) -> Checked:
    """Try out each component of a stack."""
    return Checked(stack, [(each, found) for each in components for found in _findings(each)])


def _findings(component: StackComponent) -> Iterator[Finding]:
    """What a component finds out itself; that it could be made counts for one that tries nothing,
    and what stops it for one that fails."""
    found = None
    try:
        for found in component.check():
            yield found
    except PenstockError as error:
        yield Finding.of("", error)
    else:
        if found is None:
            yield Finding("", True)


def _line(component: StackComponent, found: Finding) -> str:
    who = f"{spoken(component.category)} {component.name}"
    said = " ".join(f"{found.message} {found.hint}".split())
    return f"{found.mark:5}  {': '.join(filter(None, (who, found.what, said)))}"
