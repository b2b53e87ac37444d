"""Shapes of names that others have made up: images, distributions, fields of a pod."""

from __future__ import annotations

import re
from typing import Final

_HOST: Final = r"(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_FOLDER: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_TAG: Final = r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
_DIGEST: Final = r"(?:@[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]{32,})?"
_IMAGE: Final = re.compile(rf"(?:{_HOST}/)?{_FOLDER}(?:/{_FOLDER})*{_TAG}{_DIGEST}")
"""The grammar of whoever fetches images (distribution/reference)."""
_LONGEST_IMAGE: Final = 512

_PART: Final = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_THING: Final = re.compile(rf"(?=.{{1,253}}$){_PART}(\.{_PART})*")
"""The name of most things in Kubernetes (RFC 1123, a subdomain)."""

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?"
_EXTRAS: Final = rf"(?: ?\[ ?(?:{_NAME}(?: ?, ?{_NAME})*)? ?\])?"
_VERSION: Final = r"(?:===|[=~!<>]=|[<>]) ?[A-Za-z0-9._*+!-]+"
_VERSIONS: Final = rf"{_VERSION}(?: ?, ?{_VERSION})*(?: ?,)?"
_REQUIREMENT: Final = re.compile(
    rf"{_NAME}{_EXTRAS}(?: ?{_VERSIONS}| ?\( ?(?:{_VERSIONS})? ?\))?(?: ?; ?\S.*)?"
)
"""PEP 508, as far as it goes without a URL; one blank stands for several."""

FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.labels['KEY']",
    "metadata.annotations['KEY']",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
"""What Kubernetes tells a pod of itself in a variable."""
_KEYED: Final = re.compile(r"(metadata\.(?:labels|annotations))\['[^']+'\]")


def is_name(text: str) -> bool:
    """Whether Kubernetes gives names like that to Secrets, service accounts and the like."""
    return bool(_THING.fullmatch(text))


def is_image(text: str) -> bool:
    """Whether an image can be called so: Kubernetes starts no pod with any other."""
    return len(text) <= _LONGEST_IMAGE and bool(_IMAGE.fullmatch(text))


def is_requirement(text: str) -> bool:
    """Whether pip may know what is meant. Of paths and URLs it has rules of its own."""
    if text.startswith("-") or "\0" in text:
        return False
    return "/" in text or bool(_REQUIREMENT.fullmatch(" ".join(text.split())))


def is_field(text: str) -> bool:
    """Whether the downward API has it for variables."""
    return bool(_KEYED.fullmatch(text)) or (text in FIELDS and "[" not in text)
