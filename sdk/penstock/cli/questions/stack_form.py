"""The components of a stack, its steps and secrets: a question for each, and the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from penstock.cli.questions import secrets
from penstock.cli.questions.question import NOTHING, Question
from penstock.cli.questions.session import Session
from penstock.cli.questions.values import value, worded
from penstock.errors import BadConfiguration, StackError, listed
from penstock.stack import secrets as rules
from penstock.stack.categories import Category, categories
from penstock.stack.changing.stack_values import changed
from penstock.stack.component import several, spoken
from penstock.stack.configuration import BUILT_IN, StackSpec
from penstock.stack.registry import Registry

_STEPS: Final = (
    "Options of steps on this stack, as YAML on one line: {train: {step_operator: gpu}}."
)
_SECRET: Final = "A secret that steps ask for. Type its name, as a variable would have it."


class StackForm:
    """Of one stack. What was given with the command is not asked for."""

    def __init__(
        self, session: Session, registry: Registry, spec: StackSpec, given: Mapping[str, Any]
    ) -> None:
        self.spec = spec
        self._session = session
        self._registry = registry
        self._given = given.keys()

    def check_given(self) -> None:
        """Raise what is wrong before the first question, whatever will be answered."""
        self._session.changes.check_stack(replace(self.spec, steps={}))  # of what is asked for yet

    def fill(self, *, every: bool) -> None:
        """Ask for all, or only for what every stack has. Raises what is wrong with `steps` that
        were given."""
        for category in categories().values():
            known = self._known(category.name)
            if (
                not {category.key, category.name} & self._given
                and (category.one or every)
                and known
            ):
                self._ask_component(category, known)
        if every and "steps" not in self._given:
            self._ask_steps()
        if every and "secrets" not in self._given:
            self._ask_secrets()
        self._session.changes.check_stack(self.spec)

    def _ask_component(self, category: Category, known: list[str]) -> None:
        about = f"{category.about} There are: {listed(known)}."
        names = [name for kind, name in self.spec.names() if kind == category.name]
        if category.one:
            question = Question(spoken(category.name), about, names[0])
            question.ask(partial(self._set, category.key))
            return
        question = Question(
            several(category.name),
            f"{about} Several with commas between them.",
            ", ".join(names) or NOTHING,
            forget=partial(self._set, category.key, None) if names else None,
        )
        question.ask(
            lambda text: self._set(category.key, [name.strip() for name in text.split(",")])
        )

    def _ask_steps(self) -> None:
        forget = partial(self._set, "steps", None) if self.spec.steps else None
        question = Question("steps", _STEPS, worded(self.spec.steps), forget=forget)
        question.ask(lambda text: self._set("steps", value(text, Any)))

    def _ask_secrets(self) -> None:
        names = ", ".join(self.spec.secrets) or NOTHING
        forget = partial(self._set, "secrets", None) if self.spec.secrets else None
        question = Question("secret", _SECRET, names, forget=forget)
        what = f"stack.{self.spec.name}"
        secrets.ask_named(self._session.kept, what, question, self._add_secret, _check_name)

    def _add_secret(self, name: str, reference: str) -> None:
        self._set("secrets", {**self.spec.secrets, name: reference})

    def _set(self, key: str, given: Any) -> None:
        """Keep an answer. Raises what is wrong with it."""
        before = set(map(str, self._problems(self.spec)))
        spec = changed(self.spec, {key: given})
        for problem in self._problems(spec):
            if str(problem) not in before:
                raise problem
        self.spec = spec

    def _problems(self, spec: StackSpec) -> tuple[StackError, ...]:
        try:
            self._session.changes.check_stack(spec)
        except StackError as error:
            return error.problems or (error,)
        return ()

    def _known(self, category: str) -> list[str]:
        """Those that can be in it: of the file that it goes to."""
        path = self._session.changes.file
        files = [BUILT_IN, *(each for each in self._registry.files if each.path == path)]
        return [
            each.name for file in files for each in file.components if each.category == category
        ]


def _check_name(name: str) -> None:
    for _, problem in rules.complaints({name: "${env:X}"}):
        raise BadConfiguration(f"{problem[0].upper()}{problem[1:]}")
