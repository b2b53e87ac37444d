"""What is found in places where nobody looks first."""

import json
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

__release__ = json.loads(Path(__file__).with_name("found.json").read_text())["amount"]


class Model:
    __registry__: ClassVar[dict[str, Callable[[int], int]]] = {}
    __settings__: ClassVar[Any] = None


def added(value: int) -> int:
    return value + 1


def shout(template: string.Template) -> str:
    return template.template + "!"


Model.__registry__["added"] = added
patched: Any = string.Template
patched.shout = shout
