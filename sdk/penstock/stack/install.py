"""The line that installs an extra, true for how the distribution itself was installed."""

from __future__ import annotations

import json
import shlex
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from penstock._version import __version__
from penstock.errors import MissingExtra

if TYPE_CHECKING:
    from importlib.metadata import Distribution


def library(module: str, *, extra: str, who: str, distribution: str = "penstock") -> ModuleType:
    """An optional library, for `who` needs it. Raises `MissingExtra`."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{who} needs the library {error.name!r}, which is not installed.",
            hint=command(distribution, extra),
        ) from error


def command(distribution: str, *extras: str) -> str:
    """What to type to get a distribution's extras into this environment."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import distribution as find  # 46 ms, and only for this message

    names = f"[{','.join(extras)}]" if extras else ""
    try:
        found = find(distribution)
    except PackageNotFoundError:  # run from a source tree
        return f"pip install {shlex.quote(distribution + names)}"
    installer = (found.read_text("INSTALLER") or "").strip()
    pip = "uv pip" if installer == "uv" else "pip"
    return f"{pip} install {_requirement(found, distribution, names)}"


def origin(distribution: str) -> tuple[str, str]:
    """The version of a distribution, and what pip would install it from if that is not an index."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import distribution as find

    try:
        found = find(distribution)
    except PackageNotFoundError:  # run from a source tree
        return __version__, "."
    if not _origin(found).get("url"):
        return found.version, ""
    return found.version, _requirement(found, distribution, "").removeprefix("-e ")


def _requirement(found: Distribution, name: str, extras: str) -> str:
    """What stands behind `pip install`, from the origin that PEP 610 records."""
    origin = _origin(found)
    url = str(origin.get("url", ""))
    if url.startswith("file:") and "vcs_info" not in origin:
        path = shlex.quote(unquote(urlsplit(url).path) + extras)
        return f"-e {path}" if origin.get("dir_info", {}).get("editable") else path
    if not url:
        return shlex.quote(name + extras)
    if vcs := origin.get("vcs_info"):
        revision = vcs.get("requested_revision")
        url = f"{vcs.get('vcs', 'git')}+{url}" + (f"@{revision}" if revision else "")
    if folder := origin.get("subdirectory"):
        url += f"#subdirectory={folder}"
    return shlex.quote(f"{name}{extras} @ {url}")


def _origin(found: Distribution) -> dict[str, Any]:
    """What `direct_url.json` says; nothing for what came from an index."""
    try:
        origin = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return origin if isinstance(origin, dict) else {}
