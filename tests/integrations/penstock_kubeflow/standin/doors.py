"""Who may do what: the gate before the server, and namespaces behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway import DENIED, NOBODY, Refused, invalid, plain

Answer = tuple[int, Any, str]


def stopped(options: Mapping[str, Any], headers: Mapping[str, str]) -> Answer | None:
    """What the gate says to who has no token or cookie that it knows."""
    token, cookie = options["token"], options["cookie"]
    if token and headers.get("Authorization", "").split() == ["Bearer", token]:
        return None
    given = [each.strip() for each in headers.get("Cookie", "").split(";")]
    if cookie and cookie in given:
        return None
    if not token and not cookie:
        return None
    if cookie and options["without_cookie"] == "login":
        return 302, "/dex/auth?client_id=kubeflow", "redirect"
    return plain(401)


def user(options: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """Whom the server takes it for: the gate tells it, or a client that gets past it."""
    if options["token"] or options["cookie"]:
        return str(options["user"])
    return headers.get("Kubeflow-Userid", "")


def check(
    options: Mapping[str, Any], headers: Mapping[str, str], namespace: str, verb: str, kind: str
) -> None:
    """In a server of many users: whether this one may."""
    if not options["multi_user"]:
        return
    if not (name := user(options, headers)):
        raise Refused(
            NOBODY,
            "Failed to authorize with API: Request header error: there is no user identity header."
            ": Failed to check authorization. User identity is empty in the request header",
            "User identity is empty in the request header",
        )
    if namespace not in options["namespaces"]:
        raise Refused(
            DENIED,
            f"Failed to authorize with API: PermissionDenied: User '{name}' is not authorized with "
            f"reason:  (request: &ResourceAttributes{{Namespace:{namespace},Verb:{verb},"
            f"Group:pipelines.kubeflow.org,Version:v1beta1,Resource:{kind},Subresource:,Name:,}})",
            f"User '{name}' is not authorized",
        )


def namespace_of(options: Mapping[str, Any], given: str, doing: str) -> str:
    """In a server of one user there is but one, whatever is asked for."""
    if not options["multi_user"]:
        return ""
    if not given:
        raise invalid(f"{doing}: InvalidInputError: An experiment cannot have an empty namespace "
                      "in multi-user mode")  # fmt: skip
    return given
