"""Ways to a bucket: ours, and the calls of other libraries that move the same bytes.

A way is made for one server. It holds what it writes; its phases are what the clock is held to.
Nothing here is imported before it is used: each library has an environment of its own.
"""

from __future__ import annotations

import asyncio
import io
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Final

BUCKET: Final = "bucket"
REGION: Final = "us-east-1"
KEY, SECRET = "key", "secret"
RANGE: Final = 1 << 20
CHECKSUMS: Final = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
"""rclone answers to a range with the checksum of the whole, which botocore would refuse."""
THREADS: Final = 32


class Way(ABC):
    """One way to write and read one large object, parts of it, and many small ones."""

    name: ClassVar[str]
    package: ClassVar[str]
    """What its version is asked of."""
    phases: ClassVar[tuple[str, ...]] = ("write", "read", "ranges", "put_small", "get_small")

    large: bytearray
    small: Mapping[str, bytes]

    def __init__(self, url: str) -> None:
        self.url = url

    def hold(self, large: bytearray, small: int) -> None:
        """What it writes from now on."""
        self.large = large
        self.small = {f"{self.prefix}/small/{n}": b"%08d" % n * 128 for n in range(small)}

    @property
    def prefix(self) -> str:
        return self.name.replace(" ", "-").replace(",", "")

    @property
    def key(self) -> str:
        return f"{self.prefix}/large"

    @property
    def starts(self) -> Sequence[int]:
        """Where the parts begin that are read."""
        return [len(self.large) * n // 5 for n in range(5)]

    def ready(self) -> None:  # noqa: B027 # most take the value as it is
        """What no clock runs for: who takes bytes only has a copy of the value."""

    @abstractmethod
    def write(self) -> None:
        """Write the large object."""

    @abstractmethod
    def read(self) -> Any:
        """All of it, in memory."""

    def ranges(self) -> None:
        """5 parts of 1 MiB, one after the other: some servers copy all of an object for each."""
        for start in self.starts:
            self.part(start)

    def part(self, start: int) -> Any:
        raise NotImplementedError

    def put_small(self) -> None:
        """Objects of 1 KB, side by side."""
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(self.put_one, self.small.items()))

    def get_small(self) -> None:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(self.get_one, self.small))

    def put_one(self, item: tuple[str, bytes]) -> Any:
        raise NotImplementedError

    def get_one(self, key: str) -> Any:
        raise NotImplementedError


class Penstock(Way):
    """Objects as values are kept: hashed, and looked for before they are sent."""

    name = "penstock"
    package = "penstock"

    def __init__(self, url: str) -> None:
        from penstock.artifacts.distant_objects import DistantObjects
        from penstock.model.component import Secret
        from penstock_s3 import S3ArtifactStore

        super().__init__(url)
        self._store: Any = S3ArtifactStore(
            name="measured",
            path=f"s3://{BUCKET}/{self.prefix}",
            endpoint_url=url,
            region=REGION,
            key=Secret(KEY),
            secret=Secret(SECRET),
            read_cache="0",
        )
        self._objects = DistantObjects(self._store)

    def write(self) -> None:
        self._part = self._objects.put([memoryview(self.large)])

    def read(self) -> Any:
        return self._objects.get(self._part, "the array")

    def part(self, start: int) -> Any:
        path = f"objects/{self._part.digest[:2]}/{self._part.digest}"
        return self._store.filesystem.cat_file(path, start=start, end=start + RANGE)

    def put_one(self, item: tuple[str, bytes]) -> Any:
        self._store.put(item[0], [item[1]])

    def get_small(self) -> None:
        self._store.get_all(list(self.small))


class S3fs(Way):
    """pipe_file and cat_file as they are."""

    name = "s3fs"
    package = "s3fs"
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, url: str) -> None:
        from s3fs import S3FileSystem

        super().__init__(url)
        self._path = f"{BUCKET}/{self.key}"
        self._files = S3FileSystem(
            key=KEY,
            secret=SECRET,
            endpoint_url=url,
            use_listings_cache=False,
            client_kwargs={"region_name": REGION},
            config_kwargs=CHECKSUMS,
        )

    def ready(self) -> None:
        self._bytes = bytes(self.large)

    def write(self) -> None:
        self._files.pipe_file(self._path, self._bytes, **self.options)

    def read(self) -> Any:
        return self._files.cat_file(self._path, **self.options)

    def part(self, start: int) -> Any:
        return self._files.cat_file(self._path, start=start, end=start + RANGE)

    def put_small(self) -> None:
        self._files.pipe({f"{BUCKET}/{key}": data for key, data in self.small.items()})

    def get_small(self) -> None:
        self._files.cat([f"{BUCKET}/{key}" for key in self.small])


class S3fsParts(S3fs):
    """The same with parts of the size that ours have."""

    name = "s3fs, 16 MiB × 8"
    phases = ("write", "read")
    options: ClassVar[dict[str, Any]] = {"chunksize": 16 << 20, "max_concurrency": 8}


class S3fsStream(S3fs):
    """One stream."""

    name = "s3fs, one stream"
    phases = ("write", "read")

    def write(self) -> None:
        options = {"chunksize": 16 << 20, "max_concurrency": 1}
        self._files.pipe_file(self._path, self._bytes, **options)

    def read(self) -> Any:
        return self._files.cat_file(self._path, max_concurrency=1)


class S3fsFile(S3fs):
    """A file that is open."""

    name = "s3fs, open"
    phases = ("write", "read")

    def write(self) -> None:
        with self._files.open(self._path, "wb", block_size=16 << 20) as file:
            file.write(self.large)

    def read(self) -> Any:
        size = len(self.large)
        with self._files.open(self._path, "rb", block_size=size, cache_type="none") as file:
            return file.read()


class Boto3(Way):
    """s3transfer's managed transfers, from memory into memory."""

    name = "boto3"
    package = "boto3"

    def __init__(self, url: str) -> None:
        import boto3
        from botocore.config import Config

        super().__init__(url)
        self._client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(max_pool_connections=THREADS, **CHECKSUMS),
        )

    def write(self) -> None:
        self._client.upload_fileobj(io.BytesIO(self.large), BUCKET, self.key)

    def read(self) -> Any:
        into = io.BytesIO()
        self._client.download_fileobj(BUCKET, self.key, into)
        return into.getbuffer()

    def part(self, start: int) -> Any:
        wanted = f"bytes={start}-{start + RANGE - 1}"
        return self._client.get_object(Bucket=BUCKET, Key=self.key, Range=wanted)["Body"].read()

    def put_one(self, item: tuple[str, bytes]) -> Any:
        return self._client.put_object(Bucket=BUCKET, Key=item[0], Body=item[1])

    def get_one(self, key: str) -> Any:
        return self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read()


class Obstore(Way):
    """A library in Rust."""

    name = "obstore"
    package = "obstore"

    def __init__(self, url: str) -> None:
        import obstore  # type: ignore[import-not-found]
        from obstore.store import S3Store  # type: ignore[import-not-found]

        super().__init__(url)
        self._obstore: Any = obstore
        self._store = S3Store(
            BUCKET,
            endpoint=url,
            region=REGION,
            access_key_id=KEY,
            secret_access_key=SECRET,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True, "timeout": "600s"},
        )

    def write(self) -> None:
        self._obstore.put(self._store, self.key, memoryview(self.large))

    def read(self) -> Any:
        return memoryview(self._obstore.get(self._store, self.key).bytes())

    def part(self, start: int) -> Any:
        return self._obstore.get_range(self._store, self.key, start=start, length=RANGE)

    def put_small(self) -> None:
        asyncio.run(self._put_all())

    def get_small(self) -> None:
        asyncio.run(self._get_all())

    async def _put_all(self) -> None:
        slots = asyncio.Semaphore(THREADS)

        async def put(key: str, data: bytes) -> None:
            async with slots:
                await self._obstore.put_async(self._store, key, data)

        await asyncio.gather(*(put(key, data) for key, data in self.small.items()))

    async def _get_all(self) -> None:
        slots = asyncio.Semaphore(THREADS)

        async def get(key: str) -> None:
            async with slots:
                await (await self._obstore.get_async(self._store, key)).bytes_async()

        await asyncio.gather(*(get(key) for key in self.small))


WAYS: Final = {
    kind.name: kind for kind in (Penstock, S3fs, S3fsParts, S3fsStream, S3fsFile, Boto3, Obstore)
}
