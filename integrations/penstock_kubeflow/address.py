"""The address of the API, as people copy it: with a slash at its end, or the page of a run."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

API: Final = "apis/v2beta1"
"""What stands before every path of the API that penstock speaks."""

OLDER: Final = "apis/v1beta1"

HOME: Final = "kubeflow"
"""The namespace that Kubeflow Pipelines itself is in, wherever its runs are."""

_NO_PAGES: Final = 8888
"""The port of the API alone, which `kubectl port-forward svc/ml-pipeline` leads to."""

PROXIED: Final = "/pipeline"
"""Where a whole Kubeflow has Kubeflow Pipelines."""


def base(host: str) -> str:
    """What paths of the API are put behind, with a '/' between: no page of the browser is in it,
    and no part of the API itself."""
    found = re.split(r"[?#]", host.strip(), maxsplit=1)[0]
    return re.sub(r"/+(apis(/.*)?)?$", "", found)


def pages(host: str) -> str:
    """What the paths of its pages are put behind; empty if it has none."""
    found = base(host)
    return "" if urlsplit(found).port == _NO_PAGES else found


def others(host: str) -> list[str]:
    """Where the API may be as well, if it is not there."""
    parts = urlsplit(base(host))
    root = f"{parts.scheme}://{parts.netloc}"
    return [each for each in (f"{root}{PROXIED}", root) if each != base(host)]


def wrong(host: str) -> tuple[str, str] | None:
    """What is wrong with it, and the cure; nothing that is secret is shown."""
    if not re.match(r"https?://", host):
        named = re.sub(r"^[a-z]*:?//", "", host.rpartition("@")[2])
        scheme = "http" if re.match(r"(localhost|127\.)", named) else "https"
        return "has a host that is no URL", f"Write: host: {scheme}://{named or 'kfp.example'}"
    server = _server(host)
    if server is None:
        return "has a host that names no server", "Write for example host: https://kfp.example"
    if "@" in server:
        return "has credentials in its host", "Write them as token or as cookies."
    return None


def _server(host: str) -> str | None:
    """What stands between '//' and the path, if that names one."""
    try:
        parts = urlsplit(host)
        return parts.netloc if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None
