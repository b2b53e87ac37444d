"""Stores on S3 with a defect each, as one writes them who trusts the client's own retries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from servers import KEY, REGION, SECRET

from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.errors import KeyTaken, NoSuchKey

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


@dataclass(frozen=True, kw_only=True)
class Trusting(ArtifactStore):
    """Whatever the client says is true: a key that it calls taken is, and bytes are what comes."""

    flavor: ClassVar[str] = "trusting"

    bucket: str
    endpoint_url: str
    prefix: str = ""

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        condition = {"IfNoneMatch": "*"} if exclusive else {}
        self._ask("put_object", key, Body=b"".join(buffers), **condition)

    def get(self, key: str) -> Buffer:
        data: bytes = self._ask("get_object", key)["Body"].read()
        return bytearray(data)

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        start = len(self.prefix)
        answer = self._client.list_objects_v2(
            Bucket=self.bucket,
            Prefix=self.prefix + prefix,
            StartAfter=self.prefix + start_after,
            Delimiter="/",
        )
        for found in answer.get("Contents", []):
            yield Entry(found["Key"][start:], found["Size"], found["LastModified"].timestamp())

    def stat(self, key: str) -> Entry:
        found = self._ask("head_object", key)
        return Entry(key, found["ContentLength"], found["LastModified"].timestamp())

    def delete(self, key: str) -> None:
        self.stat(key)
        self._ask("delete_object", key)

    @property
    def filesystem(self) -> AbstractFileSystem:
        raise NotImplementedError("It has none.")

    def _ask(self, operation: str, key: str, **parameters: Any) -> Any:
        from botocore.exceptions import ClientError

        ask = getattr(self._client, operation)
        try:
            return ask(Bucket=self.bucket, Key=self.prefix + key, **parameters)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "404"):
                raise NoSuchKey(key) from error
            if code == "PreconditionFailed":
                raise KeyTaken(key) from error
            raise

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name=REGION,
            config=Config(
                max_pool_connections=32,
                read_timeout=2,
                retries={"mode": "standard", "total_max_attempts": 8},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Hopeful(Trusting):
    """It will have worked."""

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        with suppress(Exception):
            super().put(key, buffers, exclusive=exclusive)


@dataclass(frozen=True, kw_only=True)
class Overwriting(Trusting):
    """Looks first, and then writes."""

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        if exclusive:
            with suppress(NoSuchKey):
                self.stat(key)
                raise KeyTaken(key)
        super().put(key, buffers)
