"""A project in a folder of its own, a user without files, and flavors of a stranger's."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from penstock.stack.component import ComponentSpec
from penstock.stack.making import make
from penstock.stack.project import Project
from penstock.stack.registry import Registered, Registry

sys.path.append(str(Path(__file__).parent))  # in pytest's import mode a test sees no sibling

KITCHEN = '''\
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from penstock.stack import Orchestrator, Secret, StepOperator


@dataclass(frozen=True, kw_only=True)
class Oven(Orchestrator):
    """Bakes."""

    flavor: ClassVar[str] = "oven"

    host: str
    """Where the oven stands,
    as a URL."""
    degrees: int = 180
    mode: Literal["fan", "grill"] = "fan"
    """How it heats."""
    labels: dict[str, str] = field(default_factory=dict)
    trays: Annotated[int, Field(gt=0)] = 1
    key: Secret | tuple[Secret, ...] | None = None
    """Opens the door."""

    def submit(self, job: Any, observer: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Grill(StepOperator):
    flavor: ClassVar[str] = "grill"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name == "cold":
            raise ValueError("it has to be hot")
        if self.name == "broken":
            raise LookupError("no coal")

    def run(self, job: Any, call_id: str) -> None: ...


class NoOven: ...
'''

OWN = {"orchestrator": {"oven": "kitchen:Oven"}}


@pytest.fixture(scope="session")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("modules")
    (folder / "kitchen.py").write_text(KITCHEN)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("kitchen")
    sys.path.remove(str(folder))
    del sys.modules["kitchen"]


@pytest.fixture(autouse=True)
def nothing_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable, no user file, and the working directory is an empty project."""
    monkeypatch.delenv("PENSTOCK_STACK", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.fixture
def registry(project: Project) -> Registry:
    return Registry(project, Registered())


@pytest.fixture
def oven(kitchen: ModuleType) -> Callable[..., Any]:
    """Makes an oven from options as a file would give them."""

    def made(root: Path | None = None, /, **options: object) -> Any:
        at = {option: f"penstock.yaml:2:{i}" for i, option in enumerate(options, 10)}
        spec = ComponentSpec("orchestrator", "big", "oven", options, "penstock.yaml:2:3", at)
        return make(spec, OWN, root)

    return made
