"""Names: which are allowed, and under which one a thing can be imported again."""

from __future__ import annotations

import os
import re
import sys
from typing import Final

from penstock.errors import BadStep

ALLOWED: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)


def check_name(name: object, what: str) -> str:
    """The name itself, or `BadStep` with a name that would do."""
    if isinstance(name, str) and ALLOWED.fullmatch(name):
        return name
    raise BadStep(
        f"{name!r} cannot be the name of {_a(what)}: a name is 1 to 128 letters, digits, '_', '-' "
        "or '.', and begins with a letter, a digit or '_'.",
        hint=f"Write name={offered(name)!r}, for example.",
    )


def offered(name: object) -> str:
    """An allowed name that is like this one: `production-stack` for `Production Stack`."""
    import unicodedata  # only when something is wrong

    letters = unicodedata.normalize("NFKD", str(name).casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9._]+", "-", letters).strip("-.")[:128].rstrip("-.") or "my-name"


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def module_name(module: str) -> str:
    """The name under which another process can import `module`; `__main__` is known by its file."""
    if module != "__main__":
        return module
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    file: str | None = getattr(main, "__file__", None)
    if not file or file.startswith("<"):  # at a prompt, or from standard input
        return module
    return os.path.splitext(os.path.basename(file))[0]


def reference(function: object) -> str:
    """`module:qualname` of a function or class, as another process would import it."""
    module = module_name(getattr(function, "__module__", None) or "__main__")
    return f"{module}:{getattr(function, '__qualname__', repr(function))}"
