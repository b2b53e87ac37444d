"""A request, as far as those who answer it need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """Its headers are title-cased: Kubeflow-Userid."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    data: bytes
    body: Any = None
    """The data, if it is JSON."""
