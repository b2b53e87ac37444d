"""A stack: one orchestrator, one artifact store, and what else a run needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from penstock.artifacts.store import ArtifactStore
from penstock.errors import BadConfiguration
from penstock.lazy import lazy
from penstock.model import durations
from penstock.model.component import Secret, StackComponent
from penstock.model.immutable import immutable
from penstock.model.names import check_name
from penstock.model.resources import Resources
from penstock.model.retry import Retry
from penstock.stack import secrets, steps
from penstock.stack.categories import KNOWN, Category
from penstock.stack.component import ComponentSpec, literals, spoken
from penstock.stack.orchestrator import Orchestrator
from penstock.stack.project import Project
from penstock.stack.step_operator import StepOperator

if TYPE_CHECKING:
    from penstock.stack import checked, in_notebook, provisioned
else:
    checked = lazy("penstock.stack.checked")  # only for who checks it
    in_notebook = lazy("penstock.stack.in_notebook")  # only where somebody looks
    provisioned = lazy("penstock.stack.provisioned")


C = TypeVar("C", bound=StackComponent)


class Change(Protocol):
    """Makes a component of a component of the same class."""

    def __call__(self, component: C, /) -> C: ...


@immutable
@dataclass(frozen=True)
class Stack:
    """Where a pipeline runs and where its artifacts live."""

    name: str
    orchestrator: Orchestrator = field(kw_only=True)
    artifact_store: ArtifactStore = field(kw_only=True)
    step_operators: Sequence[StepOperator] = field(default=(), kw_only=True)
    experiment_trackers: Sequence[StackComponent] = field(default=(), kw_only=True)
    model_deployers: Sequence[StackComponent] = field(default=(), kw_only=True)
    more: Mapping[str, Sequence[StackComponent]] = field(default_factory=dict, kw_only=True)
    """Components of categories that packages bring, by category: `{"data-validator": [strict]}`."""
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, kw_only=True)
    """Options of steps on this stack, by name of the step."""
    secrets: Mapping[str, Secret] = field(default_factory=dict, kw_only=True)
    """What steps ask for by name with `secrets=[…]`: variable → secret. What is not here is taken
    from the environment."""
    origin: str = field(default="given in code", compare=False, repr=False, kw_only=True)
    """Who chose this stack: shown wherever the stack is shown."""
    written: Sequence[tuple[StackComponent, ComponentSpec]] = field(
        default=(), compare=False, repr=False, kw_only=True
    )
    """Which spec a component was made from. One that was replaced since simply has none."""
    places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False, kw_only=True)
    """Where each of `secrets` is written, if that is known."""

    def __post_init__(self) -> None:
        check_name(self.name, "stack")
        for kind in KNOWN.values():
            given = getattr(self, kind.key)
            components = (given,) if kind.one else tuple(given)
            self._check(kind.key, components, kind)
            if not kind.one:
                object.__setattr__(self, kind.key, components)
        object.__setattr__(self, "more", self._more())
        for step, options in self.steps.items():
            for _, text in steps.complaints(options):
                raise BadConfiguration(f"Stack {self.name!r}, step {step!r}: {text}")
        for _, text in secrets.complaints(self.secrets):
            raise BadConfiguration(f"Stack {self.name!r}: {text}")
        object.__setattr__(self, "secrets", secrets.made(self.secrets))

    @property
    def components(self) -> tuple[StackComponent, ...]:
        """Everything it is made of."""
        return (
            self.orchestrator,
            self.artifact_store,
            *self.step_operators,
            *self.experiment_trackers,
            *self.model_deployers,
            *chain.from_iterable(self.more.values()),
        )

    @property
    def environment(self) -> dict[str, str]:
        """Literal secrets of its components, by the variable that stands for each in `to_data`.

        For processes of our own on this machine; what runs elsewhere takes references only.
        """
        found = (item for component in self.components for item in literals(component))
        return {variable: secret.reveal() for _, variable, secret in found}

    @property
    def notes(self) -> tuple[str, ...]:
        """What its user should know: one sentence for each secret that is written out."""
        return tuple(
            f"{spec.at.get(option, spec.where)}: the {spoken(spec.category)} {spec.name!r} has a "
            f"secret written out in {option!r}; ${{env:NAME}} or ${{file:PATH}} would keep it "
            "out of files and history."
            for component in self.components
            for spec in (self.spec(component),)
            for option in dict.fromkeys(option for option, _, _ in literals(component))
        ) + tuple(
            f"{self.places.get(name, 'given in code')}: the stack {self.name!r} has the secret "
            f"{name!r} written out; ${{env:NAME}} or ${{file:PATH}} would keep it out of files "
            "and history."
            for name, secret in self.secrets.items()
            if not secret.is_reference
        )

    def step_operator(self, name: str) -> StepOperator | None:
        """The step operator of this name, if the stack has it."""
        return next((item for item in self.step_operators if item.name == name), None)

    def spec(self, component: StackComponent) -> ComponentSpec:
        """The component as it was written, with a reference in place of a literal secret."""
        spec = next((spec for made, spec in self.written if made == component), None)
        if spec is None:
            return ComponentSpec.of(component)
        if hidden := {option for option, _, _ in literals(component)}:
            plain = ComponentSpec.of(component).options
            masked = {option: plain[option] for option in hidden}
            return replace(spec, options={**spec.options, **masked})
        return spec

    def check(self) -> checked.Checked:
        """Try out every component. `str()` of what is found has a line for each thing that was
        tried, with what is wrong and what to type; `ok` is whether nothing is."""
        return checked.check_given(self)

    def up(self) -> tuple[str, ...]:
        """Make the places that its components need, unless they are there. What was made, a line
        for each component or more."""
        return tuple(map(str, provisioned.up(self.components, Project.find())))

    def down(self, *, force: bool = False) -> tuple[str, ...]:
        """Stop what runs for its components; with `force` remove the places that `up` has made from
        this checkout. What was done, a line for each component or more. No artifact is ever
        touched."""
        return tuple(map(str, provisioned.down(self.components, Project.find(), force=force)))

    def _repr_html_(self) -> str | None:
        return in_notebook.of_stack(self)

    def placed(self, root: Path) -> Stack:
        """The same stack with relative paths taken from `root`, the project's folder."""
        return self.each(lambda component: component.placed(root))

    def each(self, change: Change) -> Stack:
        """The same stack, with what `change` makes of each component."""
        return replace(
            self,
            orchestrator=change(self.orchestrator),
            artifact_store=change(self.artifact_store),
            step_operators=[change(item) for item in self.step_operators],
            experiment_trackers=[change(item) for item in self.experiment_trackers],
            model_deployers=[change(item) for item in self.model_deployers],
            more={
                category: [change(item) for item in items] for category, items in self.more.items()
            },
        )

    def to_data(self) -> dict[str, Any]:
        """JSON-able, for a plan: its components as they were written, no reference resolved, no
        secret in it. Who chose the stack is left out, so that equal plans are equal."""
        return {
            "name": self.name,
            "components": [self.spec(component).to_data() for component in self.components],
            "steps": {step: step_data(options) for step, options in self.steps.items()},
            **({"secrets": secrets.to_data(self.secrets)} if self.secrets else {}),
        }

    def _more(self) -> dict[str, tuple[StackComponent, ...]]:
        """What it has of other categories; what is empty is nothing."""
        found = {category: tuple(items) for category, items in self.more.items() if items}
        for category, items in found.items():
            if category in KNOWN:
                raise BadConfiguration(
                    f"Stack {self.name!r}: more is for other categories than {category!r}.",
                    hint=f"Write: {KNOWN[category].key}=…",
                )
            attribute = f"more[{category!r}]"
            self._check(attribute, items, Category(category, "", False, ""))
        return found

    def _check(self, attribute: str, components: Sequence[object], kind: Category) -> None:
        names = set()
        for item in components:
            if not isinstance(item, kind.port) or item.category != kind.name:
                wanted = kind.port.__name__
                if kind.port is StackComponent:
                    wanted = f"component of the category {kind.name!r}"
                raise BadConfiguration(
                    f"Stack {self.name!r}: {attribute} is given {item!r}, which is no {wanted}."
                )
            if item.name in names:
                raise BadConfiguration(
                    f"Stack {self.name!r}: two of its {attribute} are named {item.name!r}."
                )
            names.add(item.name)


def step_data(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a step as plain data."""
    said = dict(options)
    if isinstance(resources := options.get("resources"), Resources):
        wanted = asdict(resources).items()
        said["resources"] = {name: value for name, value in wanted if value is not None}
    if isinstance(retry := options.get("retries"), Retry):
        said["retries"] = retry.to_data()
    span: Any = options.get("cache_for")
    if hasattr(span, "total_seconds"):
        said["cache_for"] = durations.written(span.total_seconds())
    return said
