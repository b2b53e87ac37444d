"""Later: steps of a plan that are looked for only when somebody needs them.

A pod carries out one step. The modules of the others may need libraries that its image lacks, and
take long to import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

from penstock.model.options import HOOKS, StepOptions
from penstock.model.step import Step
from penstock.runtime import loading


class LaterStep(Step[..., Any]):
    """A step by its name."""

    def __init__(self, reference: str, options: StepOptions | None = None) -> None:
        self.__dict__["reference"] = reference  # which `Step` finds out of the function
        self.after_calls = ()
        self.conditions = ()
        self._options = options

    @cached_property
    def _found(self) -> Step[..., Any]:
        """The step itself. Raises `NotFound`, or whatever its module raises."""
        return loading.find_step(self.reference)

    @cached_property
    def function(self) -> Callable[..., Any]:  # type: ignore[override]
        return self._found.function

    @property
    def name(self) -> str:
        return self.options.name or self.reference.partition(":")[2].rpartition(".")[2]

    def told(self, options: StepOptions) -> Step[..., Any]:
        return LaterStep(self.reference, options)

    def load(self) -> None:
        """Look for it now: it is to be carried out. Its hooks are those that its module gives it,
        which no plan has. Raises as `function` does."""
        own: StepOptions = self._found.options
        hooks = {name: getattr(own, name) for name in HOOKS}
        self.__dict__["options"] = replace(self.options, **hooks)
