"""Random programs: helpers of all kinds that need each other, steps that need helpers and steps.

A program is data. From it come both its text and what a cache should know of it: `Program.key` of
a step is all that its result was made of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

PRIME = 10_007

FORMS = {
    "function": "def {name}(x):\n    return ({sum}) % 10007\n",
    "lambda": "{name} = lambda x: ({sum}) % 10007\n",
    "default": "def {name}(x, by={constant}):\n    return ({rest} + by) % 10007\n",
    "global": "C_{name} = {constant}\ndef {name}(x):\n    return ({rest} + C_{name}) % 10007\n",
    "table": "T_{name} = {{'run': [lambda x: ({sum}) % 10007]}}\n"
    "def {name}(x):\n    return T_{name}['run'][0](x)\n",
    "closure": "def make_{name}(by):\n    def inner(x):\n        return ({rest} + by) % 10007\n"
    "    return inner\n{name} = make_{name}({constant})\n",
    "partial": "def full_{name}(by, x):\n    return ({rest} + by) % 10007\n"
    "{name} = functools.partial(full_{name}, {constant})\n",
    "bound": "class K_{name}:\n    by = {constant}\n    def run(self, x):\n"
    "        return ({rest} + self.by) % 10007\n{name} = K_{name}().run\n",
    "object": "class K_{name}:\n    def __init__(self, by):\n        self.by = by\n"
    "    def __call__(self, x):\n        return ({rest} + self.by) % 10007\n"
    "{name} = K_{name}({constant})\n",
    "child": "class B_{name}:\n    def run(self, x):\n        return ({sum}) % 10007\n"
    "class K_{name}(B_{name}):\n    pass\ndef {name}(x):\n    return K_{name}().run(x)\n",
    "decorated": "def plus_{name}(f):\n    def inner(x):\n"
    "        return (f(x) + {constant}) % 10007\n"
    "    return inner\n@plus_{name}\ndef {name}(x):\n    return ({rest}) % 10007\n",
    "generator": "def each_{name}(x):\n    yield from (x, {constant})\n"
    "def {name}(x):\n    return ({rest} + sum(each_{name}(x))) % 10007\n",
}
"""How a helper may be written. What it gives is not the same in each, and need not be."""


@dataclass(frozen=True)
class Helper:
    """A function of one number, however it is written."""

    form: str
    constant: int
    needs: tuple[int, ...]
    """Numbers of other helpers, all smaller than its own."""
    remark: str = ""


@dataclass(frozen=True)
class Work:
    """A step, which gives a number."""

    constant: int
    helpers: tuple[int, ...]
    takes: tuple[int, ...]
    """Numbers of the steps whose results it is given, all smaller than its own."""
    given: int = 0
    """A parameter."""


@dataclass(frozen=True)
class Program:
    """A module of helpers and steps, and a pipeline that calls each step once."""

    helpers: tuple[Helper, ...]
    steps: tuple[Work, ...]

    def text(self) -> str:
        parts = ["import functools", "from penstock import pipeline, step", ""]
        parts += [self._helper(number) for number in range(len(self.helpers))]
        parts += [self._step(number) for number in range(len(self.steps))]
        calls = [
            f"    r{number} = s{number}({', '.join(map(str, [each.given, *_results(each)]))})"
            for number, each in enumerate(self.steps)
        ]
        results = ", ".join(f"'s{number}': r{number}" for number in range(len(self.steps)))
        parts += [
            "@pipeline(progress=False)",
            "def everything():",
            *calls,
            f"    return {{{results}}}",
        ]
        return "\n".join(parts) + "\n"

    def made_of(self, helper: int) -> tuple[object, ...]:
        """All that the result of a helper depends on."""
        each = self.helpers[helper]
        return (helper, each.form, each.constant, *(self.made_of(need) for need in each.needs))

    def key(self, step: int, results: dict[str, int]) -> tuple[object, ...]:
        """All that the result of a step was made of."""
        each = self.steps[step]
        code = (step, each.constant, *(self.made_of(need) for need in each.helpers))
        return (code, each.given, *(results[f"s{up}"] for up in each.takes))

    def with_helper(self, number: int, **changes: object) -> Program:
        changed = replace(self.helpers[number], **changes)  # type: ignore[arg-type]
        return replace(self, helpers=(*self.helpers[:number], changed, *self.helpers[number + 1 :]))

    def with_step(self, number: int, **changes: object) -> Program:
        changed = replace(self.steps[number], **changes)  # type: ignore[arg-type]
        return replace(self, steps=(*self.steps[:number], changed, *self.steps[number + 1 :]))

    def _helper(self, number: int) -> str:
        each = self.helpers[number]
        rest = " + ".join([f"{number + 2} * x", *(f"h{need}(x)" for need in each.needs)])
        total = f"{rest} + {each.constant}"
        text = FORMS[each.form].format(
            name=f"h{number}", sum=total, rest=rest, constant=each.constant
        )
        return f"# {each.remark}\n{text}"

    def _step(self, number: int) -> str:
        each = self.steps[number]
        names = ["given", *_results(each)]
        terms = [
            *names,
            str(100 * number + each.constant),
            *(f"h{need}(given)" for need in each.helpers),
        ]
        total = " + ".join(terms)
        return f"@step\ndef s{number}({', '.join(names)}):\n    return ({total}) % {PRIME}\n"


def _results(step: Work) -> list[str]:
    return [f"r{up}" for up in step.takes]
