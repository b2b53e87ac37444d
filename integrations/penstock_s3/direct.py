"""Direct requests: what botocore would send, without its machinery.

Getting, looking at and putting one object is most of what happens, and botocore takes several
milliseconds of processor time for each such request: it finds the server anew, walks through
dozens of hooks, and parses dates in every notation. The first request of a place goes its way; what
it sent shows how the server is addressed, and the following are made here.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Self
from xml.etree import ElementTree

from penstock.artifacts.store import LARGE, is_key
from penstock_s3.signing import Scope, Signer

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from botocore.credentials import Credentials

METHODS: Final = {"get_object": "GET", "head_object": "HEAD", "put_object": "PUT"}
"""The operations that are sent directly."""

_HEADERS: Final = {
    "ChecksumCRC32": "x-amz-checksum-crc32",
    "ContentLength": "content-length",
    "ContentMD5": "content-md5",
    "IfMatch": "if-match",
    "IfNoneMatch": "if-none-match",
    "Range": "range",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "ServerSideEncryption": "x-amz-server-side-encryption",
}
_KNOWN: Final = {*_HEADERS, "Body", "Key", "Metadata"}

_TOLD: Final = {
    "accept-ranges": "AcceptRanges",
    "content-range": "ContentRange",
    "etag": "ETag",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
}
_OWN: Final = "x-amz-meta-"

_SIGNED: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=.+/\d{8}/(?P<region>[^/,]+)/(?P<service>s3)/aws4_request,"
)


class Direct:
    """How the objects of a bucket are addressed, and whom a signature convinces there."""

    def __init__(
        self, session: ClientSession, base: str, scope: Scope, *,
        credentials: Callable[[], Awaitable[Credentials]], proxy: str | None,
    ) -> None:  # fmt: skip
        from yarl import URL  # comes with aiohttp

        self._url = URL
        self._session = session
        self._base = base
        self._signer = Signer(scope)
        self._credentials = credentials
        self._proxy = proxy

    def takes(self, operation: str, parameters: Mapping[str, Any]) -> bool:
        """Whether it can send this."""
        known = operation in METHODS and parameters.keys() <= _KNOWN
        return known and is_key(parameters["Key"])  # others would have to be quoted

    async def send(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The answer, as the client's operation would give it. Raises what that would raise."""
        url = self._base + parameters["Key"]
        method = METHODS[operation]
        further = {
            _HEADERS[name]: str(value) for name, value in parameters.items() if name in _HEADERS
        }
        for name, value in parameters.get("Metadata", {}).items():
            further[_OWN + name] = value
        headers = self._signer.headers(method, url, await self._credentials(), further)
        headers["accept-encoding"] = "identity"
        response = await self._session.request(
            method, self._url(url, encoded=True), headers=headers,
            data=_sendable(parameters.get("Body")), allow_redirects=False, proxy=self._proxy,
        )  # fmt: skip
        if response.status >= 300:
            raise await _error(operation, response)
        answer = _answer(response)
        if operation == "get_object":
            answer["Body"] = Body(response)
        else:
            await response.read()
        return answer


def addressed(sent: str, authorization: str, key: str) -> tuple[str, Scope] | None:
    """The URL before the key, and the scope of the signature, of a request that was sent; None if
    it is one that cannot be made here."""
    url = sent.partition("?")[0]
    match = _SIGNED.match(authorization)
    if match is None or not url.endswith(f"/{key}"):
        return None
    return url.removesuffix(key), Scope(match["region"], match["service"])


class Body:
    """The bytes of an object that are still to come."""

    def __init__(self, response: ClientResponse) -> None:
        self.raw = response

    @classmethod
    def of(cls, body: Any) -> Self:
        """What is in the one that the client gives: an object around the response."""
        return cls(getattr(body, "raw_stream", None) or body.__wrapped__)

    async def read(self) -> bytes:
        """All of it."""
        return await self.raw.read()

    async def piece(self, most: int) -> bytes:
        """What has come meanwhile, at most so much of it; nothing at the end."""
        return await self.raw.content.read(most)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.raw.close()  # what was read to its end has given its connection back before


def _sendable(body: Any) -> Any:
    """aiohttp hands bytes to the system at once, and warns if these are many; a file it reads."""
    return BytesIO(body) if isinstance(body, bytes) and len(body) >= LARGE else body


def _answer(response: ClientResponse) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in response.headers.items()}
    answer: dict[str, Any] = {
        _TOLD[name]: value for name, value in headers.items() if name in _TOLD
    }
    answer["Metadata"] = {
        name.removeprefix(_OWN): value for name, value in headers.items() if name.startswith(_OWN)
    }
    if "content-length" in headers:
        answer["ContentLength"] = int(headers["content-length"])
    if "last-modified" in headers:
        answer["LastModified"] = parsedate_to_datetime(headers["last-modified"])
    answer["ResponseMetadata"] = {"HTTPStatusCode": response.status, "HTTPHeaders": headers}
    return answer


async def _error(operation: str, response: ClientResponse) -> Any:
    """What the client would raise."""
    from botocore.exceptions import ClientError  # is loaded by now

    body = await response.read()
    headers = {name.lower(): value for name, value in response.headers.items()}
    told = {"Code": str(response.status), "Message": response.reason or "", **_told(body)}
    about = {"HTTPStatusCode": response.status, "HTTPHeaders": headers}
    return ClientError({"Error": told, "ResponseMetadata": about}, operation)


def _told(body: bytes) -> dict[str, str]:
    """What the body of an error says. Something in between may have written anything."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return {}
    return {item.tag.rpartition("}")[2]: item.text for item in root if item.text}
