"""Doubts: what the answer of a server leaves open, once it was asked to make something."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from penstock_kubeflow.asking import Answer

_FINAL: Final = re.compile(
    "unknown template format|pipeline spec is invalid|invalid v2 pipeline spec|schema version"
    "|failed to validate workflow|is forbidden|is invalid|cannot be empty|conversion error",
    re.IGNORECASE,
)
"""What a server says with status 500, as if it were its own fault, and would say again."""

_TOO_LARGE: Final = re.compile("too large|larger than max|too long", re.IGNORECASE)
"""What etcd, Kubernetes and the databases say of that."""

_NO_SPACE: Final = re.compile(r"namespaces? \\?['\"]?[a-z0-9-]+\\?['\"]? not found", re.IGNORECASE)


def is_unsure(answer: Answer) -> bool:
    """Whether the server may have made it. An answer of the API without an id says nothing either;
    whoever asks has looked for one."""
    if answer.is_it:
        return True
    return answer.unsure and not (
        _FINAL.search(_text(answer)) or is_too_large(answer) or has_no_space(answer)
    )


def is_known(answer: Answer) -> bool:
    """Whether the API itself has said how it ended: then nothing of it is still on its way."""
    return not answer.unsure or "code" in (answer.data or {})


def is_too_large(answer: Answer) -> bool:
    """Whether what was sent is more than something on its way takes."""
    return answer.status == 413 or bool(_TOO_LARGE.search(_text(answer)))


def has_no_space(answer: Answer) -> bool:
    """Whether Kubernetes has no such namespace."""
    return bool(_NO_SPACE.search(_text(answer)))


def said(answer: Answer) -> str:
    """How it answers, as the rest of a sentence."""
    return f"answers {answer.told}" if answer.status else f"gives no answer ({answer.why})"


def _text(answer: Answer) -> str:
    found = answer.data or {}
    return f"{found.get('message') or ''} {found.get('error') or ''}"
