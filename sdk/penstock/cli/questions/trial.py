"""Trying out what somebody has just described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from penstock.cli.questions.kept import replaced
from penstock.cli.questions.line import as_it_is
from penstock.cli.questions.question import confirmed
from penstock.cli.questions.session import Session
from penstock.errors import StackError
from penstock.model.component import Finding
from penstock.stack import findings, secrets
from penstock.stack.checked import Checked, Who
from penstock.stack.component import ComponentSpec
from penstock.stack.configuration import StackSpec
from penstock.stack.making import make


def passed(
    session: Session, specs: Sequence[ComponentSpec], stack: StackSpec | None = None
) -> bool:
    """Whether to go on: nothing is wrong, or nobody wants to know, or it is to be so. With the
    secrets of a stack, if it is one that was described."""
    as_it_is()
    if not confirmed("Test it now?", default=False):
        return True
    with session.kept.at_hand() as instead:
        found = [*_components(session, specs, instead), *_secrets(session, stack, instead)]
    checked = Checked(stack.name if stack else "", found)
    as_it_is(str(checked))
    return checked.ok or confirmed("Register it nevertheless?", default=False)


def _components(
    session: Session, specs: Sequence[ComponentSpec], instead: Mapping[str, str]
) -> Iterator[tuple[Who, Finding]]:
    root, own = session.changes.registry.project.root, session.own
    for spec in specs:
        who = Who(spec.category, spec.name)
        try:
            made = make(replace(spec, options=replaced(spec.options, instead)), own, root)
            found = list(findings.of_component(made.placed(root), own))
        except StackError as error:
            found = list(findings.of_unmade(spec, error, own))
        yield from ((who, each) for each in found)


def _secrets(
    session: Session, stack: StackSpec | None, instead: Mapping[str, str]
) -> Iterator[tuple[Who, Finding]]:
    if stack is None:
        return
    root = session.changes.registry.project.root
    for name, secret in secrets.made(replaced(stack.secrets, instead)).items():
        yield Who("stack", stack.name), findings.of_secret(name, secret, root)
