"""A component, asked for part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.cli.parameters import WHERE
from penstock.cli.questions.form import Form
from penstock.cli.questions.line import tell
from penstock.cli.questions.question import INDENT, Question, once_more
from penstock.cli.questions.session import session
from penstock.cli.questions.trial import passed
from penstock.errors import UnknownFlavor
from penstock.stack import flavor as flavors
from penstock.stack.changing import undoing
from penstock.stack.changing.changes import Changes
from penstock.stack.component import ComponentSpec, a, spoken
from penstock.stack.flavor import Own


def asked(
    changes: Changes,
    category: str,
    name: str | None,
    flavor: str | None,
    given: Mapping[str, Any],
    *,
    every: bool,
) -> ComponentSpec:
    """See `penstock.cli.asking.ask_component`."""
    with session(changes) as begun:
        if name:
            changes.check_name(category, name)
        begun.begin(_what(category, name))
        own = begun.own
        flavor = flavor or _flavor(category, own)
        cls = flavors.find(category, flavor, own, where=WHERE).load()
        name = name or begun.name(category)
        form = Form(begun, ComponentSpec(category, name, flavor, given, WHERE), cls)
        form.check_given()
        form.fill(every=every)
        while every and not passed(begun, [form.spec]):
            once_more()
            form.fill(every=every)
    begun.end(form.spec.options, undoing.component_registration(form.spec, own, begun.flag))
    return form.spec


def _what(category: str, name: str | None) -> str:
    return f"the {spoken(category)} {name!r}" if name else a(category)


def _flavor(category: str, own: Own) -> str:
    known = flavors.flavors(category, own)
    if not known:
        raise UnknownFlavor(
            f"No {spoken(category)} flavor is installed.",
            hint="Install a package that brings one, or write one and type: "
            f"penstock {category} flavor register MODULE:CLASS",
        )
    tell("Flavors:")
    for each in known:
        tell(f"{each.name} (to install it: {each.install})" if each.install else each.name, INDENT)
    found = known[0].name if len(known) == 1 else ""

    def take(text: str) -> None:
        nonlocal found
        flavors.find(category, text, own).load()
        found = text

    Question("flavor", "Which of them it is.", found or None).ask(take)
    return found
