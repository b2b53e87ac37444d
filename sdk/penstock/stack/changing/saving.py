"""What was made in code, written down as the command line would do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.errors import BadConfiguration, NameTaken, StackError, UnknownFlavor
from penstock.model.component import Secret, StackComponent
from penstock.model.names import reference
from penstock.stack import flavor, making, misgiven
from penstock.stack.categories import KNOWN, section_of
from penstock.stack.changing.acceptance import REFERENCES
from penstock.stack.changing.change import Change
from penstock.stack.changing.changes import Changes
from penstock.stack.changing.editing.yaml_text import plain
from penstock.stack.changing.entries import Entries
from penstock.stack.component import ComponentSpec, a, literals, option_fields, spoken
from penstock.stack.configuration import BUILT_IN, ONE, SEVERAL, StackSpec
from penstock.stack.masked import masked
from penstock.stack.stack import Stack, step_data


def save(changes: Changes, item: Stack | StackComponent) -> Change | None:
    """Write down a stack with its components, or one component; nothing if it is there already.

    Raises `NameTaken` if something different has its name.
    """
    with changes.places.entries(changes.file) as entries:
        if isinstance(item, StackComponent):
            spec = ComponentSpec.of(item)
            return changes.registered(entries, spec) if _keep(entries, item, spec) else None
        added = [
            spec
            for component in item.components
            if _keep(entries, component, spec := item.spec(component))
        ]
        stack = _stack_spec(item)
        there = {**BUILT_IN.stacks, **entries.file.stacks}.get(stack.name)
        if there == stack:
            return None
        if there is not None:
            raise _taken(f"stack name {stack.name!r}", there.where, there.entry(), stack.entry())
        entries.add_stack(stack)
    return _told(changes, entries, stack, added)


def update_stack(changes: Changes, name: str, values: Mapping[str, Any]) -> Change:
    """Change a stack where it is written; components that are new there are registered as well."""
    with changes.places.entries(changes.places.of_stack(name)) as entries:
        before = entries.text
        written = {key: _value(entries, key, value) for key, value in values.items()}
        old, new = entries.change_stack(name, written)
    return changes.updated_stack(entries, old, new, stays=entries.text == before)


def update_component(
    changes: Changes, what: StackComponent | ComponentSpec, values: Mapping[str, Any]
) -> Change:
    """Change a component where it is written. What is its default afterwards is not written."""
    there = changes.registry.component(what.category, what.name).options
    options = _options(what, values)
    unset = [option for option in values if option not in options and option in there]
    return changes.update_component(what.category, what.name, options, unset)


def _options(what: StackComponent | ComponentSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """As a file would have them; without those that are to go."""
    if isinstance(what, ComponentSpec):
        return {option: value for option, value in values.items() if value is not None}
    if not {item.name for item in option_fields(type(what))} >= values.keys():
        return dict(values)  # who checks it has the words for that
    try:
        new = replace(what, **values)
    except (TypeError, ValueError):  # the same
        return dict(values)
    _refuse_literals(new, values)
    found = ComponentSpec.of(new).options
    return {option: found[option] for option in values if option in found}


def _keep(entries: Entries, component: StackComponent, spec: ComponentSpec) -> bool:
    """Register a component unless it is there; whether it had to be."""
    known = (*BUILT_IN.components, *entries.file.components)
    key = (spec.category, spec.name)
    there = next((each for each in known if (each.category, each.name) == key), None)
    if there is None:
        _refuse_literals(component, spec.options)
        _refuse_stranger(component, entries)
        entries.add_component(spec)
        return True
    if there != spec and not _is_made(entries, there, component):
        own = entries.file.flavors
        what = f"{spoken(spec.category)} name {spec.name!r}"
        raise _taken(what, there.where, *(_shown(each, own) for each in (there, spec)))
    return False


def _is_made(entries: Entries, spec: ComponentSpec, component: StackComponent) -> bool:
    """Whether what is written is this component, though it is written in another way."""
    root = entries.registry.project.root
    try:
        made = making.make(spec, entries.file.flavors, root)
        return made.placed(root) == making.resolved(component).placed(root)
    except StackError:  # what cannot be made here is something else
        return False


def _refuse_literals(component: StackComponent, options: Mapping[str, Any]) -> None:
    for option, _, _ in literals(component):
        if option in options:
            raise BadConfiguration(
                f"The {spoken(component.category)} {component.name!r} has a secret itself in "
                f"{option!r}; a secret is not written into a file.",
                hint=REFERENCES,
            )


def _refuse_stranger(component: StackComponent, entries: Entries) -> None:
    """A file names a flavor, and that has to lead to the component's class."""
    cls, category = type(component), component.category
    target = reference(cls)
    hint = f"Type: penstock {category} flavor register {target}"
    try:
        found = flavor.find(category, component.flavor, entries.file.flavors)
    except UnknownFlavor as error:
        raise UnknownFlavor(error.message, hint=hint) from error
    if found.load() is not cls:
        raise BadConfiguration(
            f"The {spoken(category)} {component.name!r} is a {target}, and its flavor "
            f"{component.flavor!r} is {found.target}.",
            hint="Give the class a flavor of its own.",
        )


def _stack_spec(stack: Stack) -> StackSpec:
    """As a file would have it. A secret itself is nothing that a file takes."""
    names: dict[str, Any] = {key: getattr(stack, key).name for key in ONE}
    names |= {key: tuple(each.name for each in getattr(stack, key)) for key in SEVERAL}
    names["more"] = {kind: tuple(each.name for each in items) for kind, items in stack.more.items()}
    steps = {step: plain(step_data(options)) for step, options in stack.steps.items()}
    secrets = {name: secret.written for name, secret in stack.secrets.items()}
    return StackSpec(stack.name, **names, steps=steps, secrets=secrets, where="given in code")


def _value(entries: Entries, key: str, value: Any) -> Any:
    """What a stack is given in code, as a file would have it."""
    if isinstance(value, StackComponent | ComponentSpec):
        _refuse_elsewhere(key, value)
        if isinstance(value, StackComponent):
            _keep(entries, value, ComponentSpec.of(value))
        return value.name
    if isinstance(value, type) and issubclass(value, StackComponent):
        raise misgiven.in_stack(key, value)
    if isinstance(value, list | tuple):
        return [_value(entries, key, item) for item in value]
    if key == "steps" and isinstance(value, Mapping):
        return {step: plain(step_data(options)) for step, options in value.items()}
    if key == "secrets" and isinstance(value, Mapping):
        return {
            name: secret.written if isinstance(secret, Secret) else secret
            for name, secret in value.items()
        }
    return value


def _refuse_elsewhere(key: str, item: StackComponent | ComponentSpec) -> None:
    """A name alone would lead to whatever has it in the other category."""
    category = item.category
    right = KNOWN[category].key if category in KNOWN else section_of(category)
    if key not in (right, category):
        raise BadConfiguration(
            f"A stack's {key!r} is given {item.name!r}, which is {a(category)}.",
            hint=f"Type: client.update(…, {right}=…)",
        )


def _told(
    changes: Changes, entries: Entries, stack: StackSpec, added: list[ComponentSpec]
) -> Change:
    change = changes.registered_stack(entries, stack, " --recursive" if added else "")
    remarks = tuple(
        f"Registered as well: {spoken(each.category)} {each.name} "
        f"({entries.of_component(each.category, each.name)})."
        for each in added
    )
    return replace(change, remarks=remarks + change.remarks)


def _taken(what: str, where: str, there: Mapping[str, Any], new: Mapping[str, Any]) -> NameTaken:
    return NameTaken(
        f"The {what} is taken.\n  {where}: {there}\n  to register: {new}",
        hint="Choose another name.",
    )


def _shown(spec: ComponentSpec, own: flavor.Own) -> dict[str, Any]:
    return {"flavor": spec.flavor, **masked(spec, own)}
