"""Further arguments of s3fs: plain data without secrets, under names that it knows."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from penstock.errors import BadConfiguration, listed

_SECRET: Final = re.compile("key|secret|token|passw|credential", re.IGNORECASE)

_LOGIN: Final = re.compile(r"://[^/@\s]+@")

_OURS: Final = ("asynchronous", "loop", "session", "skip_instance_cache", "use_listings_cache")
"""What the store says itself."""

_MORE: Final = ("profile", "listings_expiry_time", "max_paths")
"""What s3fs takes that its signature does not show."""


def wrong(extra: object) -> Iterator[tuple[str, str]]:
    """What is wrong with it, and the cure. No value is ever shown: it may be a secret."""
    if not isinstance(extra, Mapping):
        yield f"has an extra that is no mapping, but a {type(extra).__name__}", "Write names."
        return
    for ours in sorted({*map(str, extra)} & {*_OURS}):
        yield f"has {ours!r} in extra, which it says itself", "Leave it out."
    for path, name, value in _inside("extra", extra):
        if not isinstance(name, str):
            yield f"has a name in {path} that is no text", "Write all names as text."
        elif _SECRET.search(name) or name == "username":
            yield f"has {name!r} in {path}, where everybody can read it", _cure(name)
        elif isinstance(value, str) and _LOGIN.search(value):
            yield (
                f"has credentials in the URL {name!r} in {path}, where everybody can read them",
                "Write those of the server as key and secret; of a proxy, in HTTPS_PROXY.",
            )
    try:
        json.dumps(dict(extra))
    except (TypeError, ValueError) as error:
        yield f"has an extra that is no plain data ({error})", "Write text and numbers."


def check_names(extra: Mapping[str, Any]) -> None:
    """Raises `BadConfiguration` for what s3fs does not know."""
    from s3fs import S3FileSystem  # whoever asks has loaded it

    signature = inspect.signature(S3FileSystem.__init__)
    taken = {name for name in signature.parameters if name not in ("self", "kwargs")}
    known = sorted((taken | {*_MORE}) - {*_OURS})
    if unknown := sorted(extra.keys() - {*known}):
        raise BadConfiguration(
            f"The option extra of the artifact store has {listed(unknown)}, which s3fs does not "
            "know.",
            hint=f"It takes: {', '.join(name for name in known if not _SECRET.search(name))}.",
        )


def _inside(path: str, value: object) -> Iterator[tuple[str, object, object]]:
    """Every name in it, at any depth: where it is, itself, and what it is for."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield path, name, item
            yield from _inside(f"{path}.{name}", item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield path, str(index), item
            yield from _inside(f"{path}.{index}", item)


def _cure(name: str) -> str:
    """The option that is there for it."""
    low = name.lower()
    if "kms" in low:
        return "Write it as the option kms_key of the store."
    if "customer" in low:
        return "Leave it out, and have the server keep the key: kms_key."
    kinds = {"token": "token", "secret": "secret", "passw": "secret", "credential": "secret"}
    option = next((option for part, option in kinds.items() if part in low), "key")
    return f'Write it as the option {option} of the store: {option}: "${{env:…}}".'
