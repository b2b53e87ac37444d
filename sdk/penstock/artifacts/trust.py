"""Trust: records are signed with keys that do not lie in the store.

A signature is a keyed BLAKE3 (a MAC by design, BLAKE3 paper, section 6.3) over every byte of the
record: cache key, run, step, outputs, store id. Whoever can write to the bucket, but has no key,
cannot make a record whose pickles would be loaded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from secrets import compare_digest
from typing import Final

from blake3 import blake3

from penstock.artifacts.store import ArtifactStore
from penstock.model.component import Secret

_CONTEXT: Final = "penstock record signature v1"
_SIGNATURE: Final = re.compile(rb'\n\{"key":"([0-9a-f]{16})","mac":"([0-9a-f]{64})"\}\n')
_LENGTH: Final = len('\n{"key":"","mac":""}\n') + 16 + 64
_ID_CONTEXT: Final = "penstock key id v1"


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A secret that signs, and the short id by which it is known."""

    id: str
    secret: bytes

    @classmethod
    def of(cls, text: str) -> Key:
        """The key made of a secret text."""
        data = text.encode()
        return cls(
            blake3(data, derive_key_context=_ID_CONTEXT).hexdigest(8),
            blake3(data, derive_key_context=_CONTEXT).digest(),
        )

    def mac(self, record: bytes) -> str:
        return blake3(record, key=self.secret).hexdigest()


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys that count for a store."""

    signing: Key
    known: Mapping[str, Key]
    notice: str | None = None
    """What the user should know about where the key comes from."""

    def sign(self, record: bytes) -> bytes:
        """The record with its signature, as two lines."""
        key = self.signing
        return b'%b\n{"key":"%b","mac":"%b"}\n' % (
            record,
            key.id.encode(),
            key.mac(record).encode(),
        )

    def verify(self, signed: bytes) -> tuple[bytes, str, bool]:
        """The record, the id of who signed it, and whether that is true and the key is known.

        Raises `ValueError` for bytes that are not a signed record.
        """
        match = _SIGNATURE.fullmatch(signed, max(0, len(signed) - _LENGTH))
        if match is None:
            raise ValueError("not a signed record")
        record, signer = signed[: match.start()], match[1].decode()
        key = self.known.get(signer)
        return (
            record,
            signer,
            key is not None and compare_digest(key.mac(record), match[2].decode()),
        )


def keyring(store: ArtifactStore) -> Keyring:
    """The keys of a store: its `signing_key`s, else the user's own."""
    written = store.signing_key
    if written is not None:
        secrets = (written,) if isinstance(written, Secret) else written
        keys = [Key.of(secret.reveal()) for secret in secrets]
        return Keyring(keys[0], {key.id: key for key in keys})
    return _own(os.environ.get("HOME"))


@lru_cache(maxsize=4)
def _own(home: str | None) -> Keyring:
    """The user's own key, made at first use; `home` is what it depends on."""
    file = key_file()
    try:
        key, notice = Key.of(_read_or_make(file)), None
    except (OSError, RuntimeError) as error:
        key = Key.of(os.urandom(32).hex())
        notice = (
            f"No signing key can be kept in {file} ({error}): pickles of this process can be "
            "loaded by this process only."
        )
    return Keyring(key, {key.id: key}, notice)


def key_file() -> Path:
    """Where the user's own key is kept."""
    from platformdirs import user_config_path  # not needed where a store has its own key

    return user_config_path("penstock") / "key"


def _read_or_make(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        temp = file.with_name(f"key-{os.urandom(4).hex()}")
        fd = os.open(temp, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.write(fd, os.urandom(32).hex().encode() + b"\n")
        finally:
            os.close(fd)
        with suppress(FileExistsError):  # another process was first
            os.link(temp, file)
        temp.unlink()
    text = file.read_text().strip()
    if not text:
        raise RuntimeError("the key file is empty")
    return text
