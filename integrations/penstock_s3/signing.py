"""Signatures, as botocore makes them, for requests whose body is not part of what is signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from botocore.credentials import Credentials


class Scope(NamedTuple):
    """What a signature is good for."""

    region: str
    service: str


class Signer:
    """Signs requests of one scope."""

    def __init__(self, scope: Scope) -> None:
        from botocore.auth import S3SigV4Auth  # these come with s3fs
        from botocore.awsrequest import AWSRequest
        from botocore.config import Config

        self._scope = scope
        self._sign = S3SigV4Auth
        self._request = AWSRequest
        self._unsigned = Config(s3={"payload_signing_enabled": False})

    def headers(
        self, method: str, url: str, credentials: Credentials, further: Mapping[str, str]
    ) -> dict[str, str]:
        """The headers of a request that has these `further` ones. The URL has no query."""
        request = self._request(method, url, headers=further)
        request.context["client_config"] = self._unsigned
        self._sign(credentials, self._scope.service, self._scope.region).add_auth(request)
        return dict(request.headers)
