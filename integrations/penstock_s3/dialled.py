"""What a line is dialled with: the options that make a session."""

from __future__ import annotations

import json
import os
import ssl
from dataclasses import dataclass
from typing import Any, Final

from penstock.errors import BadConfiguration
from penstock.model.component import Secret
from penstock.model.references import resolve
from penstock_s3 import extra

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
        extra.check_names(given)
        wanted = given.get("config_kwargs", {})
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
            **wanted,
            "s3": {
                "addressing_style": self.addressing_style,
                "payload_signing_enabled": False,
                **wanted.get("s3", {}),
            },
        }
        client: dict[str, Any] = {}
        if self.region:
            client["region_name"] = self.region
        if bundle := self._bundle():
            client["verify"] = bundle
        made: dict[str, Any] = {
            **self.credentials(),
            **given,
            "config_kwargs": config,
            "client_kwargs": {**client, **given.get("client_kwargs", {})},
        }
        if self.endpoint_url:
            made["endpoint_url"] = resolve(self.endpoint_url)
        if self.profile:
            made["profile"] = self.profile
        return made

    def advice(self) -> dict[str, str]:
        """Where to look if the server does not take the credentials, for messages."""
        if self.key is not None:
            return {
                "keys": "Look at key and secret of the artifact store.",
                "login": "Get new credentials, and write them as key, secret and token.",
            }
        shows = "aws configure list" if self.endpoint_url else "aws sts get-caller-identity"
        return {
            "keys": f"Look at the credentials that are found here: `{shows}`. Or set key and "
            "secret of the artifact store.",
            "login": "Log in again, for example `aws sso login`, or get new keys. Then run again.",
        }

    def _bundle(self) -> str:
        """The file of authorities that is asked for; unreadable, it would cost every attempt."""
        option, file = "The option ca_bundle of the artifact store", self.ca_bundle
        if not file and not self.endpoint_url.startswith("http:"):
            option, file = "AWS_CA_BUNDLE", os.environ.get("AWS_CA_BUNDLE", "")
        if not file:
            return ""
        try:
            ssl.create_default_context(cafile=os.path.expanduser(file))
        except OSError as error:  # of which SSLError is one
            why = error.strerror if not isinstance(error, ssl.SSLError) else "it has no certificate"
            raise BadConfiguration(
                f"{option} names the file {file!r}, which cannot be used: {why}.",
                hint="Name a file with certificates (PEM), or leave it out.",
            ) from error
        return os.path.expanduser(self.ca_bundle)

    def credentials(self) -> dict[str, str]:
        """Those that are given, revealed."""
        given = {"key": self.key, "secret": self.secret, "token": self.token}
        return {name: item.reveal() for name, item in given.items() if item is not None}
