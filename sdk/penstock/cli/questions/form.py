"""The options of a component: a question for each, and the answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from penstock.cli.questions import secrets
from penstock.cli.questions.line import tell
from penstock.cli.questions.question import INDENT, Question, complain, once_more
from penstock.cli.questions.session import Session
from penstock.cli.questions.values import takes_names, takes_text, value, worded
from penstock.errors import BadConfiguration, StackError
from penstock.model.component import StackComponent
from penstock.stack import describe
from penstock.stack.component import ComponentSpec
from penstock.stack.describe import Option

_NAME: Final = "Type the name of one, as it is called there."


class Form:
    """Of one component. What was given with the command is not asked for."""

    def __init__(self, session: Session, spec: ComponentSpec, cls: type[StackComponent]) -> None:
        self._session = session
        self._given = spec
        self._hints = describe.type_hints(cls)
        options = sorted(describe.options(cls), key=lambda each: not each.required)
        self._open = [each for each in options if each.name not in spec.options]
        self._answers: dict[str, Any] = {}

    @property
    def spec(self) -> ComponentSpec:
        """With the answers so far."""
        return self._with(self._answers)

    def check_given(self) -> None:
        """Raise what is wrong before the first question, unless an answer may put it right."""
        empty = replace(self._given, options={})
        for problem in self._new(empty, self._given):
            if _is_of(problem, self._given.options) or not _speaks_of(problem, self._open):
                raise problem

    def fill(self, *, every: bool) -> None:
        """Ask until nothing is wrong. From the second round on, answers are defaults."""
        asked = [each for each in self._open if every or each.required]
        while True:
            for index, option in enumerate(asked):
                self._ask(option, asked[index + 1 :])
            problems = self._problems(self.spec)
            if not problems:
                return
            if not asked:
                raise problems[0]
            for problem in problems:
                complain(problem)
            once_more()

    def _ask(self, option: Option, later: Sequence[Option]) -> None:
        question = self._question(option)
        take = partial(self._accept, option, later)
        if option.secret:
            self._ask_secret(option, question, take)
        else:
            hint = self._hints[option.name]
            question.ask(lambda text: take(value(text, hint)))

    def _question(self, option: Option) -> Question:
        name = option.name
        kind = "" if option.secret else f"{option.type[0].upper()}{option.type[1:]}."
        about = f"{option.description} {kind}".strip()
        if name in self._answers:
            forget = partial(self._answers.pop, name)
            return Question(name, about, worded(self._answers[name]), forget=forget)
        return Question(name, about, None if option.required else worded(option.default))

    def _ask_secret(
        self, option: Option, question: Question, take: Callable[[object], object]
    ) -> None:
        """A single one, or several under names. What takes a list only gets one that has one."""
        kept, what = self._session.kept, f"{self._given.category}.{self._given.name}.{option.name}"
        hint = self._hints[option.name]
        if takes_names(hint) and not takes_text(hint):
            question = replace(question, about=f"{question.about} {_NAME}")
            secrets.ask_named(kept, what, question, lambda name, text: take(
                {**self._answers.get(option.name, {}), name: text}
            ))  # fmt: skip
        else:
            several = not takes_text(hint)
            secrets.ask(kept, what, question, lambda text: take([text] if several else text))

    def _accept(self, option: Option, later: Sequence[Option], given: object) -> None:
        """Keep an answer. Raises what is wrong with it, unless a later one may put that right."""
        rest = {name: each for name, each in self._answers.items() if name != option.name}
        new = self._new(self._with(rest), self._with({**rest, option.name: given}))
        own = [each for each in new if _is_of(each, [option.name])]
        if own or not self._may_fit(option, new, later):
            for problem in own or new:
                raise self._short(problem, option.name)
        for problem in new:
            tell(f"So far: {self._short(problem, option.name)}", INDENT)
        self._answers[option.name] = given

    def _may_fit(self, option: Option, new: Sequence[StackError], later: Sequence[Option]) -> bool:
        """Whether another answer can put it right: one that it speaks of, or of all that are
        needed one, since a component is not made before they are there."""
        if option.required and sum(each.required for each in self._open) > 1:
            return True
        return all(_speaks_of(each, later) for each in new)

    def _with(self, answers: Mapping[str, Any]) -> ComponentSpec:
        return replace(self._given, options={**self._given.options, **answers})

    def _new(self, before: ComponentSpec, after: ComponentSpec) -> list[StackError]:
        """What is wrong with the one and not with the other."""
        known = set(map(str, self._problems(before)))
        return [each for each in self._problems(after) if str(each) not in known]

    def _problems(self, spec: ComponentSpec) -> list[StackError]:
        """Of its options only; nothing that is typed changes any other."""
        try:
            self._session.changes.check_component(spec)
        except StackError as error:
            found = error.problems or (error,)
            return [each for each in found if each.message.startswith(f"{spec.where}: ")]
        return []

    def _short(self, problem: StackError, option: str) -> StackError:
        """Without what whoever answers knows."""
        text = problem.message.removeprefix(f"{self._given.where}: ")
        return BadConfiguration(
            text.partition(f"option {option!r}: ")[2] or text, hint=problem.hint
        )


def _is_of(problem: StackError, options: Iterable[str]) -> bool:
    """Whether it is what one of these options by itself has wrong."""
    return any(f"option {name!r}: " in problem.message for name in options)


def _speaks_of(problem: StackError, options: Sequence[Option]) -> bool:
    """Whether it names one of these; then it is about how several go together."""
    return any(re.search(rf"\b{re.escape(each.name)}\b", str(problem)) for each in options)
