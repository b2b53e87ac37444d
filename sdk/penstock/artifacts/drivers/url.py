"""URLs of places: one way to write each, and what is wrong with others."""

from __future__ import annotations

import re
from typing import Final

from penstock.model import credentials

_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.DOTALL)
_ELSEWHERE: Final = {
    **dict.fromkeys(("s3", "s3a"), "Use the flavor 's3', which knows more of it."),
    **dict.fromkeys(("file", "local"), "Use the flavor 'local' for folders of this machine."),
    **dict.fromkeys(("http", "https"), "A web server can be read only; WebDAV is webdav://."),
}
"""Protocols that fsspec has and a store on its drivers refuses, with what to use."""


def plain(url: str) -> str:
    """The one way to write it."""
    protocol, _, place = url.partition("://")
    return f"{protocol.lower()}://{place.rstrip('/')}"


def complaint(url: str) -> tuple[str, str] | None:
    """What is wrong with it, in half a sentence, and what to write."""
    found = _URL.fullmatch(url)
    if not found:
        return "which is no URL", "Write for example path='gs://bucket/penstock'."
    protocol, place = found.groups()
    place = place.rstrip("/")
    if credentials.are_in(url):
        return (
            "and everybody sees the secret in it",
            "Write it as an option of the driver: secrets={'password': '${env:NAME}'}.",
        )
    if hint := _ELSEWHERE.get(protocol.lower()):
        return f"and {protocol}:// is not for this flavor", hint
    if "::" in url:
        return "which is a chain, and what stands between may keep copies", "Name the place itself."
    if {"..", "."} & {*place.split("/")} or "//" in place:
        return "and '.', '..' and '//' are not the same everywhere", "Write it without them."
    return None
