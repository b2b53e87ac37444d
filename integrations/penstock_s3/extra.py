"""Further arguments of s3fs: plain data without secrets, under names that it knows."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from penstock.errors import BadConfiguration, did_you_mean, listed
from penstock.model import credentials

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
    for path, given in _passed_on(extra).items():
        if not isinstance(given, Mapping):
            yield f"has {path} that is a {type(given).__name__}", "Write names in it."
    for path, name, value in _inside("extra", extra):
        if not isinstance(name, str):
            yield f"has a name in {path} that is no text", "Write all names as text."
        elif credentials.is_name(name) or name == "username":
            yield f"has {name!r} in {path}, where everybody can read it", _cure(name)
        elif isinstance(value, str) and credentials.are_in(value):
            yield (
                f"has credentials in the URL {name!r} in {path}, where everybody can read them",
                "Write those of the server as key and secret; of a proxy, in HTTPS_PROXY.",
            )
    try:
        json.dumps(dict(extra))
    except (TypeError, ValueError) as error:
        yield f"has an extra that is no plain data ({error})", "Write text and numbers."


def check_names(extra: Mapping[str, Any]) -> None:
    """Raises `BadConfiguration` for what s3fs does not know, and botocore behind it."""
    for path, given, who, known in _asked_of(extra):
        if unknown := sorted(given.keys() - known):
            shown = sorted(name for name in known if not credentials.is_name(name))
            raise BadConfiguration(
                f"The option {path} of the artifact store has {listed(unknown)}, which {who} does "
                "not know.",
                hint=did_you_mean(unknown[0], shown) or f"It takes: {', '.join(shown)}.",
            )


def _passed_on(extra: Mapping[str, Any]) -> dict[str, Any]:
    """What s3fs gives to botocore as it is, by where it stands: all of it are mappings."""
    found = {f"extra.{name}": extra.get(name, {}) for name in ("client_kwargs", "config_kwargs")}
    if isinstance(config := found["extra.config_kwargs"], Mapping):
        found["extra.config_kwargs.s3"] = config.get("s3", {})
    return found


def _asked_of(extra: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], str, set[str]]]:
    """Where names stand, these, who is to know them, and what that one knows."""
    from aiobotocore.config import AioConfig  # whoever asks has loaded them
    from botocore.session import Session
    from s3fs import S3FileSystem

    client = _taken(Session.create_client) - {"service_name", "config"}
    yield "extra", extra, "s3fs", (_taken(S3FileSystem.__init__) | {*_MORE}) - {*_OURS}
    yield "extra.client_kwargs", extra.get("client_kwargs", {}), "botocore", client
    config = _taken(AioConfig.__init__) | {*AioConfig.OPTION_DEFAULTS}
    yield "extra.config_kwargs", extra.get("config_kwargs", {}), "botocore", config


def _taken(function: Callable[..., Any]) -> set[str]:
    """The names of its parameters."""
    return inspect.signature(function).parameters.keys() - {"self", "args", "kwargs"}


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
