"""Settings: what a step or a pipeline may say of its pods. Plain data, checked when it is active."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a step may say of the pod that it runs in."""

    image: str | None = None
    """The container image; by default the orchestrator's."""
