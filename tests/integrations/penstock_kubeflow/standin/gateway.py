"""Answers that are no success, as the gateway of Kubeflow Pipelines words them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

INVALID: Final = 3
NOT_FOUND: Final = 5
EXISTS: Final = 6
DENIED: Final = 7
ABORTED: Final = 10
INTERNAL: Final = 13
UNAVAILABLE: Final = 14
NOBODY: Final = 16
"""Codes of gRPC."""

_STATUS: Final = {
    INVALID: 400, NOT_FOUND: 404, EXISTS: 409, DENIED: 403, ABORTED: 409, INTERNAL: 500,
    UNAVAILABLE: 503, NOBODY: 401,
}  # fmt: skip


class Refused(Exception):
    """A request that is not done."""

    def __init__(self, code: int, text: str, external: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.external = external or text

    @property
    def status(self) -> int:
        """That of HTTP."""
        return _STATUS[self.code]

    @property
    def body(self) -> dict[str, Any]:
        """What a client reads."""
        detail = {
            "@type": "type.googleapis.com/google.rpc.Status",
            "code": self.code,
            "message": self.external,
        }
        return {
            "error": self.text, "code": self.code, "message": self.text, "details": [detail],
        }  # fmt: skip


def invalid(text: str) -> Refused:
    """400."""
    return Refused(INVALID, text)


def not_found(kind: str, id_: str, doing: str) -> Refused:
    """404, of something that is known by an id."""
    text = f"{doing}: ResourceNotFoundError: {kind} {id_} not found"
    return Refused(NOT_FOUND, text, f"{kind} {id_} not found")


def internal(text: str) -> Refused:
    """500. What it was is in the text alone, whatever it was."""
    return Refused(INTERNAL, f"InternalServerError: {text}", "Internal Server Error")


def plain(status: int) -> tuple[int, str, str]:
    """An answer of something that stands before the server."""
    return status, f"{status} {HTTPStatus(status).phrase}\n", "text/plain; charset=utf-8"
