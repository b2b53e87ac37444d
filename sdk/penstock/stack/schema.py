"""The JSON Schema of penstock.yaml, with the flavors that are installed: so that editors complete.

It is kept beside what it describes, and a comment in the first line of the file leads there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Final

from penstock._version import __version__
from penstock.digest import digest
from penstock.errors import StackError
from penstock.model.names import ALLOWED
from penstock.model.options import StepOptions
from penstock.stack import describe, steps
from penstock.stack.categories import Category, categories
from penstock.stack.component import is_required, option_fields
from penstock.stack.configuration import DEFAULT
from penstock.stack.flavor import Flavor, Own, flavors
from penstock.stack.option_schema import REFERENCE_SCHEMA, Schema, options
from penstock.stack.project import FOLDER, Project, user_file
from penstock.stack.registry import Registry

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
FILE: Final = "schema.json"
STACKS: Final = (
    "What belongs together: an orchestrator, an artifact store, and what else a run needs."
)

_dump: Final = json.JSONEncoder(indent=1, ensure_ascii=False).encode
_NAME: Final[Schema] = {"type": "string", "pattern": f"^{ALLOWED.pattern}$"}
_SECRET: Final = {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}
_TARGET: Final = {"type": "string", "pattern": "^[^:]+:.+$", "description": "package.module:Class"}


def schema(own: Own) -> Schema:
    """What a penstock.yaml may hold here. Flavors that do not load take any options."""
    kinds = tuple(categories().values())
    shared: dict[str, Schema] = {"reference": REFERENCE_SCHEMA}
    for kind in kinds:
        shared[kind.name] = _component(flavors(kind.name, own), shared)
    sections = {
        each.section: _named({"$ref": f"#/$defs/{each.name}"}, each.about, reserved=each.one)
        for each in kinds
    }
    own_flavors = _exactly({each.name: _named(_TARGET) for each in kinds})
    return {
        "$schema": DRAFT,
        "$comment": _made_of(own),
        "title": "penstock.yaml",
        **_exactly(
            {
                "active": {"type": ["string", "null"], "description": "The team's default stack."},
                **sections,
                "flavors": {**own_flavors, "description": "Flavors of this project's own."},
                "stacks": _named(_stack(kinds), STACKS, reserved=True),
            }
        ),
        "$defs": shared,
    }


def schema_line(file: Path) -> str:
    """The comment that leads an editor from a penstock.yaml to its schema."""
    return (
        f"# yaml-language-server: $schema={schema_file(file).relative_to(file.parent).as_posix()}"
    )


def schema_file(file: Path) -> Path:
    """Where the schema of a penstock.yaml is kept: with what is never committed."""
    return file.parent / FILE if file == user_file() else file.parent / FOLDER / FILE


def keep_schema(project: Project, known: Registry | None = None) -> dict[Path, bool]:
    """Write the schemas of the project's file and the user's, if they are not what they should be.

    `known` has read the files already. Of each schema, whether it was written now. Raises
    `StackError` where that cannot be done.
    """
    registry, own = known or Registry(project), user_file()
    kept = {}
    if own and own.exists():
        found = {each.path: each.flavors for each in registry.files}
        kept[schema_file(own)] = _keep(schema_file(own), found.get(own, {}))
    if project.file.exists() and project.file != own:
        project.prepared()
        kept[schema_file(project.file)] = _keep(schema_file(project.file), registry.flavors)
    return kept


def _keep(file: Path, own: Own) -> bool:
    """A flavor of the project's own may have changed without a sign; then it is made anew."""
    there, made_of = _there(file), _made_of(own)
    if not own and there and f'"$comment": "{made_of}"' in there:
        return False
    text = _text(own) if own else _common(made_of)
    if text == there:
        return False
    temp = file.with_name(f"{file.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        temp.write_text(text, "utf-8")
        os.replace(temp, file)
    except OSError as error:
        temp.unlink(missing_ok=True)
        raise StackError(f"{file} cannot be written: {error.strerror}.") from error
    return True


def _text(own: Own) -> str:
    return _dump(schema(own)) + "\n"


@cache
def _common(made_of: str) -> str:
    """The schema of all projects without flavors of their own."""
    return _text({})


def _there(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:  # whoever cannot read it is told when it is written
        return ""


def _made_of(own: Own) -> str:
    """What a schema depends on: penstock itself and the flavors, as they are installed."""
    found = [each for kind in categories() for each in flavors(kind, own)]
    parts = [f"{each.target} {each.category} {each.version} {each.missing}" for each in found]
    return digest("schema", __version__, *parts)


def _component(found: Sequence[Flavor], shared: dict[str, Schema]) -> Schema:
    """A component of one category; what its options refer to goes into `shared`."""
    entry = {"type": "object", "required": ["flavor"], "properties": {"flavor": _NAME}}
    if not found:
        return entry
    names = [{"const": each.name, "description": _about(each)} for each in found]
    ways = [
        {
            "if": {"properties": {"flavor": {"const": each.name}}, "required": ["flavor"]},
            "then": _options(each, shared),
        }
        for each in found
    ]
    return {**entry, "properties": {"flavor": {"oneOf": names}}, "allOf": ways}


def _about(flavor: Flavor) -> str:
    if not flavor.package:
        return f"This project's own, {flavor.target}."
    return f"Of {flavor.package}." + (f" To install: {flavor.install}" if flavor.install else "")


def _options(flavor: Flavor, shared: dict[str, Schema]) -> Schema:
    try:
        cls = flavor.load()
        found, parts = options(cls, f"{flavor.category}.{flavor.name}")
    except StackError as error:
        return {"description": " ".join(str(error).splitlines())}
    shared |= parts
    needed = [item.name for item in option_fields(cls) if is_required(item)]
    return {
        "properties": {"flavor": True, **found},
        "required": ["flavor", *needed],
        "additionalProperties": False,
    }


def _stack(kinds: Sequence[Category]) -> Schema:
    several = {"type": ["array", "null"], "items": _NAME}
    said = {
        each.key: {**(_NAME if each.one else several), "description": each.about} for each in kinds
    }
    secrets = {"type": ["object", "null"], "propertyNames": _SECRET,
               "additionalProperties": {"type": "string", "minLength": 1}}  # fmt: skip
    whole = _exactly({**said, "steps": _named(_step()), "secrets": secrets})
    return {**whole, "type": "object", "required": [each.key for each in kinds if each.one]}


def _step() -> Schema:
    """Options of a step: which there are. What fits them, penstock itself says best."""
    found = _described(StepOptions, steps.KNOWN)
    for option, kind in steps.NESTED.items():
        inside = _described(kind, [item.name for item in fields(kind)])
        found[option] |= {"properties": inside, "additionalProperties": False}
    return _exactly(found)


def _described(cls: type, names: Iterable[str]) -> dict[str, Schema]:
    texts = describe.descriptions(cls)
    return {name: {"description": texts[name]} if name in texts else {} for name in names}


def _named(entry: Schema, about: str = "", *, reserved: bool = False) -> Schema:
    """Things under names of the user's; with `reserved`, `default` is built in."""
    return {
        "type": ["object", "null"],
        **({"description": about} if about else {}),
        "propertyNames": {**_NAME, **({"not": {"const": DEFAULT}} if reserved else {})},
        "additionalProperties": entry,
    }


def _exactly(properties: Mapping[str, Schema]) -> Schema:
    return {
        "type": ["object", "null"],
        "properties": dict(properties),
        "additionalProperties": False,
    }
