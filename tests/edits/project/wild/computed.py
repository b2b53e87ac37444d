"""Modules whose names are computed."""

import importlib
import pkgutil
from typing import Any

from penstock import step
from wild import plugins
from wild.roots import Root


@step
def imports_computed() -> int:
    name = "wild.plugins." + "".join(["al", "pha"])
    return int(importlib.import_module(name).size())


@step
def imports_builtin() -> int:
    package: Any = __import__("wild.plugins.be" + "ta")
    return int(package.plugins.beta.size())


@step
def resolves() -> int:
    return int(pkgutil.resolve_name("wild.plugins.alpha:size")())


@step
def discovers() -> list[int]:
    names = [item.name for item in pkgutil.iter_modules(plugins.__path__)]
    return [importlib.import_module(f"wild.plugins.{name}").size() for name in names]


@step
def collects() -> list[str]:
    return sorted(kind.__name__ for kind in Root.__subclasses__())
