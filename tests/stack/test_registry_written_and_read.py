"""Any registry state that is written and read back is equal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from penstock.artifacts.local import LocalArtifactStore
from penstock.client import Client
from penstock.errors import StackError
from penstock.model import credentials
from penstock.model.component import Secret
from penstock.model.references import REFERENCE
from penstock.model.resources import Resources
from penstock.orchestrators.local import LocalOrchestrator
from penstock.stack.changing.changes import Changes
from penstock.stack.changing.sharing import export, import_
from penstock.stack.component import ComponentSpec
from penstock.stack.configuration import StackSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registered, Registry
from penstock.stack.stack import Stack
from penstock.step_operators.subprocess import SubprocessStepOperator

GENERATED = (Phase.explicit, Phase.reuse, Phase.generate)
"""Each example writes a file many times: to make a failing one smaller takes minutes."""

few = settings(
    max_examples=12, phases=GENERATED, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,8}", fullmatch=True).filter(
    lambda name: name.lower() != "default"
) | st.sampled_from(["on", "null", "1e3", "0x1", "12", "1.5", "no", "_", "a.b-c"])
texts = st.text(max_size=12).filter(lambda text: credentials.hidden(text) == text)
places = texts.filter(lambda text: bool(text.strip()) and "://" not in text and "\0" not in text)
variables = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)
references = st.builds("${{env:{}}}".format, variables) | st.just("${file:~/key: # 'x'}")

orchestrators = st.fixed_dictionaries({}, optional={
    "max_workers": st.integers(1, 10**12),
    "failure": st.sampled_from(["stop", "finish", "collect"]),
    "resources": st.fixed_dictionaries({"cpu": st.floats(0.001, 1e20)}),
    "memory_in_flight": st.sampled_from(["4Gi", "0"]),
})  # fmt: skip
stores = st.fixed_dictionaries({}, optional={
    "path": places,
    "durability": st.sampled_from(["process", "power"]),
    "signing_key": references | st.lists(references, min_size=1, max_size=2),
    "warn_above": st.sampled_from(["10GB", "1 TiB"]),
})  # fmt: skip
operators = st.fixed_dictionaries({}, optional={
    "python": texts,
    "env": st.dictionaries(texts, texts, max_size=3),
    "directory": texts,
})  # fmt: skip
KINDS = {
    "orchestrator": ("local", orchestrators),
    "artifact-store": ("local", stores),
    "step-operator": ("subprocess", operators),
}
steps = st.dictionaries(names, st.fixed_dictionaries({}, optional={
    "retries": st.integers(0, 5),
    "timeout": st.floats(0.5, 1e6) | st.integers(1, 100),
    "cache": st.booleans(),
    "version": texts,
    "settings": st.dictionaries(names, st.dictionaries(texts, st.none() | texts | st.floats(
        allow_nan=False) | st.booleans() | st.lists(texts), max_size=2), max_size=2),
}), max_size=2)  # fmt: skip


@st.composite
def components(draw: st.DrawFn, category: str, name: str) -> ComponentSpec:
    flavor, options = KINDS[category]
    written = draw(options)
    assume(not any(credentials.is_name(key) for key in written.get("env", {})))
    return ComponentSpec(category, name, flavor, written)


def unique(found: Any) -> Any:
    return st.lists(found, max_size=2, unique_by=str.lower)


@st.composite
def states(draw: st.DrawFn) -> tuple[list[ComponentSpec], list[StackSpec]]:
    """Components, and stacks that are made of them."""
    parts = [draw(components(category, name)) for category in KINDS for name in draw(unique(names))]
    of = {kind: [each.name for each in parts if each.category == kind] for kind in KINDS}
    stacks = [draw(stack_specs(name, of)) for name in draw(unique(names))]
    return parts, stacks


@st.composite
def stack_specs(draw: st.DrawFn, name: str, of: dict[str, list[str]]) -> StackSpec:
    operators = of["step-operator"]
    chosen = draw(st.lists(st.sampled_from(operators), unique=True)) if operators else []
    written = draw(steps)
    assume(len({step.lower() for step in written}) == len(written))
    return StackSpec(
        name,
        draw(st.sampled_from(["default", *of["orchestrator"]])),
        draw(st.sampled_from(["default", *of["artifact-store"]])),
        tuple(chosen),
        steps=written,
        secrets=draw(st.dictionaries(variables, references, max_size=2)),
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[], Registry]:
    """A project with an empty file, each time."""

    def made() -> Registry:
        project = Project(tmp_path / "project")
        project.file.write_text("")
        return Registry(project, Registered())

    return made


def read_again(registry: Registry) -> Registry:
    return Registry(registry.project, Registered())


def entries(registry: Registry) -> tuple[list[ComponentSpec], list[StackSpec]]:
    """All but what is built in, in the order of their names."""
    specs = [spec for spec in registry.components() if spec.name != "default"]
    stacks = [spec for spec in registry.stacks().values() if spec.name != "default"]
    return ordered(specs, stacks)


def ordered(
    specs: list[ComponentSpec], stacks: list[StackSpec]
) -> tuple[list[ComponentSpec], list[StackSpec]]:
    return (
        sorted(specs, key=lambda spec: (spec.category, spec.name)),
        sorted(stacks, key=lambda spec: spec.name),
    )


@given(state=states())
@few
def test_any_state_written_and_read_back_is_equal(
    fresh: Callable[[], Registry], state: tuple[list[ComponentSpec], list[StackSpec]]
) -> None:
    registry = fresh()
    changes = Changes(registry)

    for spec in state[0]:
        changes.register_component(spec)
    for stack in state[1]:
        changes.register_stack(stack)
        changes.set_default(stack.name)

    again = read_again(registry)
    assert entries(again) == ordered(*state)
    assert again.files[0].active == (state[1][-1].name if state[1] else None)


@given(state=states())
@settings(few, max_examples=5)
def test_any_stack_that_is_given_away_arrives_as_it_was(
    fresh: Callable[[], Registry], state: tuple[list[ComponentSpec], list[StackSpec]]
) -> None:
    registry = fresh()
    changes = Changes(registry)
    for spec in state[0]:
        changes.register_component(spec)
    for stack in state[1]:
        changes.register_stack(stack)

    given_away = {stack.name: export(registry, stack.name) for stack in state[1]}
    before = {name: (registry.stacks()[name], registry.specs(name)) for name in given_away}
    there = fresh()
    for name, text in given_away.items():
        import_(Changes(there), text, f"{name}.yaml")

    assert {name: (there.stacks()[name], there.specs(name)) for name in given_away} == before


class Verbs(RuleBasedStateMachine):
    """Whatever is done in whatever order: the file says what was said last."""

    folder: Path

    @initialize()
    def begin(self) -> None:
        project = Project(self.folder)
        project.file.write_text("# ours\n")
        self.registry = Registry(project, Registered())
        self.changes = Changes(self.registry)
        self.parts: dict[tuple[str, str], ComponentSpec] = {}
        self.stacks: dict[str, StackSpec] = {}

    def of(self) -> dict[str, list[str]]:
        return {kind: [name for category, name in self.parts if category == kind] for kind in KINDS}

    @rule(data=st.data(), kind=st.sampled_from(sorted(KINDS)), name=st.sampled_from("abc"))
    def put_component(self, data: st.DataObject, kind: str, name: str) -> None:
        spec = data.draw(components(kind, name))
        old = self.parts.get((kind, name))
        if old is None:
            self.changes.register_component(spec)
        else:
            gone = [option for option in old.options if option not in spec.options]
            self.changes.update_component(kind, name, spec.options, gone)
        self.parts[kind, name] = spec
        self.same()

    @rule(data=st.data(), name=st.sampled_from("xyz"))
    def put_stack(self, data: st.DataObject, name: str) -> None:
        spec = data.draw(stack_specs(name, self.of()))
        if name in self.stacks:
            keys = ("orchestrator", "artifact_store", "step_operators", "steps", "secrets")
            self.changes.update_stack(name, {key: getattr(spec, key) for key in keys})
        else:
            self.changes.register_stack(spec)
        self.stacks[name] = spec
        self.same()

    @precondition(lambda self: self.parts)
    @rule(data=st.data())
    def delete_component(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.parts)))
        if any(key in stack.names() for stack in self.stacks.values()):
            with pytest.raises(StackError, match="is in use"):
                self.changes.delete_component(*key)
        else:
            self.changes.delete_component(*key)
            del self.parts[key]
        self.same()

    @precondition(lambda self: self.stacks)
    @rule(data=st.data(), recursive=st.booleans())
    def delete_stack(self, data: st.DataObject, recursive: bool) -> None:
        spec = self.stacks.pop(data.draw(st.sampled_from(sorted(self.stacks))))
        self.changes.delete_stack(spec.name, recursive=recursive)
        used = {key for stack in self.stacks.values() for key in stack.names()}
        for key in spec.names() if recursive else ():
            if key not in used:
                self.parts.pop(key, None)
        self.same()

    def same(self) -> None:
        parts, stacks = list(self.parts.values()), list(self.stacks.values())
        assert entries(read_again(self.registry)) == ordered(parts, stacks)
        assert "# ours\n" in self.changes.file.read_text()


def test_any_verbs_in_any_order_leave_what_was_said_last(tmp_path: Path) -> None:
    class Here(Verbs):
        folder = tmp_path / "project"

    run_state_machine_as_test(Here, settings=settings(few, max_examples=6, stateful_step_count=10))


def test_a_verb_that_writes_nothing_is_noticed(tmp_path: Path) -> None:
    class Forgetful(Verbs):
        folder = tmp_path / "project"

        def same(self) -> None:
            self.changes.file.write_text("# ours\n")
            super().same()

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Forgetful, settings=settings(few, max_examples=3))


local_stacks = st.builds(
    Stack,
    st.just("mine"),
    orchestrator=st.builds(
        LocalOrchestrator,
        name=st.sampled_from(["default", "wide"]),
        max_workers=st.none() | st.integers(1, 9),
        resources=st.none() | st.builds(Resources, cpu=st.integers(1, 4)),
    ).filter(lambda item: item.name == "wide" or not item.options()),
    artifact_store=st.builds(
        LocalArtifactStore,
        name=st.just("bucket"),
        path=places.filter(lambda path: not REFERENCE.search(path)),
        signing_key=st.none() | references.map(Secret),
    ),
    step_operators=st.lists(
        st.builds(
            SubprocessStepOperator,
            name=st.sampled_from(["a", "b"]),
            env=st.dictionaries(variables, texts, max_size=2),
        ),
        max_size=2,
        unique_by=lambda each: each.name,
    ),
    steps=steps,
    secrets=st.dictionaries(variables, references.map(Secret), max_size=2),
)


@given(stack=local_stacks)
@few
def test_any_stack_made_in_code_is_the_same_from_its_file(
    fresh: Callable[[], Registry], stack: Stack
) -> None:
    assume(not any(REFERENCE.search(str(item.env)) for item in stack.step_operators))
    assume(
        not any(map(credentials.is_name, (key for op in stack.step_operators for key in op.env)))
    )
    assume(len({step.lower() for step in stack.steps}) == len(stack.steps))
    root = fresh().project.root
    client = Client()

    client.register(stack, save=True)

    assert client.stack("mine") == stack.placed(root)
    assert client.register(stack, save=True) is None
