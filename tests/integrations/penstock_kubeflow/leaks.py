"""Looks for a secret in whatever was written, in every form that writing gives it.

A secret leaks as it is, as JSON, URLs, `repr`, base64 or hexadecimal digits spell it, and in all of
these within archives and compressed data.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus


def forms(secret: str) -> dict[str, bytes]:
    """The spellings of a secret, by what they are."""
    data = secret.encode()
    escaped = json.dumps(secret)[1:-1]
    spelled = {
        "as it is": secret,
        "JSON": escaped,
        "JSON with letters as they are": json.dumps(secret, ensure_ascii=False)[1:-1],
        "JSON in JSON": json.dumps(escaped)[1:-1],
        "repr": repr(secret)[1:-1],
        "URL": quote(secret, safe=""),
        "path of a URL": quote(secret),
        "form of a URL": quote_plus(secret),
        "hexadecimal": data.hex(),
        "backwards": secret[::-1],
    }
    found = {name: text.encode() for name, text in spelled.items()}
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        # Without the digits that have bits of what stands before and after it.
        inner = encoded[(0, 2, 3)[shift] : (shift + len(data)) * 8 // 6]
        found[f"base64 at {shift}"] = inner
        found[f"base64 for URLs at {shift}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def leaks(secret: str, name: str, data: bytes) -> Iterator[str]:
    """Where it stands in some data, and in which form."""
    spelled = forms(secret)
    for place, content in opened(name, data):
        for form, text in spelled.items():
            if text in content:
                yield f"{place}: {form}"


def opened(name: str, data: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """The data itself, and all that is packed into it."""
    yield name, data
    if depth > 5:
        raise ValueError(f"{name} is packed too often to be looked through")
    for kind, unpack in _PACKED.items():
        if data.startswith(kind):
            for inner, content in unpack(data):
                yield from opened(f"{name} > {inner}", content, depth + 1)


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        yield "its comment", archive.comment
        for item in archive.infolist():
            yield item.filename, archive.read(item)
            yield f"about {item.filename}", item.filename.encode() + item.comment + item.extra


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What was compressed, and the members if it is a tar."""
    yield "compressed", data
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for item in archive:
                file = archive.extractfile(item) if item.isfile() else None
                yield item.name, file.read() if file else item.linkname.encode()
    except tarfile.ReadError:
        return


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


def _decompressed(by: Callable[[bytes], bytes]) -> Callable[[bytes], Iterator[tuple[str, bytes]]]:
    return lambda data: _unpacked(by(data))


_PACKED: Final[dict[bytes, Callable[[bytes], Iterator[tuple[str, bytes]]]]] = {
    b"PK\x03\x04": _zipped,
    b"\x1f\x8b": _decompressed(gzip.decompress),
    b"BZh": _decompressed(bz2.decompress),
    b"\xfd7zXZ\x00": _decompressed(lzma.decompress),
    b"\x28\xb5\x2f\xfd": _decompressed(_zstd),
    b"\x78\x9c": _decompressed(zlib.decompress),
    b"\x78\xda": _decompressed(zlib.decompress),
}
