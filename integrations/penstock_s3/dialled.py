"""What a line is dialled with: the options that make a session."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Final

from penstock.model.component import Secret, resolve

CONNECT: Final = 10.0
"""Seconds within which a server has to take a connection."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """What makes one line another than the next: the options that a session is made from."""

    endpoint_url: str
    region: str
    profile: str
    key: Secret | None
    secret: Secret | None
    token: Secret | None
    addressing_style: str
    ca_bundle: str
    concurrency: int
    deadline: float
    extra: str
    """As JSON: a mapping has no hash."""

    def arguments(self) -> dict[str, Any]:
        """What s3fs makes a session from."""
        given: dict[str, Any] = json.loads(self.extra)
        config: dict[str, Any] = {
            # Retries are ours: botocore's know nothing of what became of a lost answer.
            "retries": {"mode": "standard", "total_max_attempts": 1},
            "max_pool_connections": self.concurrency,
            "connect_timeout": min(CONNECT, self.deadline),
            "read_timeout": max(60.0, self.deadline),
            # Every object is compared by its ETag; other servers than Amazon's do not know more.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            "parameter_validation": False,
            "s3": {"addressing_style": self.addressing_style, "payload_signing_enabled": False},
        }
        client: dict[str, Any] = {}
        if self.region:
            client["region_name"] = self.region
        if self.ca_bundle:
            client["verify"] = os.path.expanduser(self.ca_bundle)
        made: dict[str, Any] = {
            **self.credentials(),
            **given,
            "config_kwargs": {**config, **given.get("config_kwargs", {})},
            "client_kwargs": {**client, **given.get("client_kwargs", {})},
        }
        if self.endpoint_url:
            made["endpoint_url"] = resolve(self.endpoint_url)
        if self.profile:
            made["profile"] = self.profile
        return made

    def credentials(self) -> dict[str, str]:
        """Those that are given, revealed."""
        given = {"key": self.key, "secret": self.secret, "token": self.token}
        return {name: item.reveal() for name, item in given.items() if item is not None}
