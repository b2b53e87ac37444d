"""Trust: records are signed with keys that do not lie in the store.

A signature is a keyed BLAKE3 (a MAC by design, BLAKE3 paper, section 6.3) over every byte of the
record: cache key, run, step, outputs, store id. Whoever can write to the bucket, but has no key,
cannot make a record whose pickles would be loaded.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hmac import compare_digest
from pathlib import Path
from typing import Final

from blake3 import blake3

from penstock.artifacts.exclusive import LINKS_REFUSED, exclusive_rename
from penstock.artifacts.store import ArtifactStore
from penstock.errors import BadConfiguration
from penstock.model.component import Secret
from penstock.model.user import config_folder

_CONTEXT: Final = "penstock record signature v1"
_SIGNATURE: Final = re.compile(rb'\n\{"key":"([0-9a-f]{16})","mac":"([0-9a-f]{64})"\}\n')
_LENGTH: Final = len('\n{"key":"","mac":""}\n') + 16 + 64
_ID_CONTEXT: Final = "penstock key id v1"

_one_at_a_time: Final = threading.Lock()
_asked: Final[set[Path | None]] = set()
"""Key files that were read, or that this process made up for."""

_told: Final[set[str]] = set()
"""Ids of the keys whose notice was said."""


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
        """The record, the id of the key that signed it, and whether that key is known here.

        Raises `ValueError` for bytes that are not a signed record, and for a record that is not
        what a known key has signed.
        """
        match = _SIGNATURE.fullmatch(signed, max(0, len(signed) - _LENGTH))
        if match is None:
            raise ValueError("not a signed record")
        record, signer = signed[: match.start()], match[1].decode()
        key = self.known.get(signer)
        if key is not None and not compare_digest(key.mac(record), match[2].decode()):
            raise ValueError(f"it is not what the key {signer} has signed")
        return record, signer, key is not None


NO_KEYS: Final = Keyring(Key("", b""), {})
"""Whoever holds these can sign nothing, and knows nobody."""


def keyring(store: ArtifactStore, *, make: bool = True) -> Keyring:
    """The keys of a store: its `signing_key`s, else the user's own.

    Without `make`, for those who only read, a user who has no key yet stays without.
    """
    written = store.signing_key
    if written is None:
        file = key_file()
        with _one_at_a_time:
            if not (make or file in _asked or (file and file.exists())):
                return NO_KEYS
            _asked.add(file)
            return _own(file)
    secrets = (written,) if isinstance(written, Secret) else written
    texts = [secret.reveal() for secret in secrets]
    if not all(texts):
        raise BadConfiguration(
            f"The signing_key of the artifact store {store.name!r} is empty: anybody could sign "
            "with it.",
            hint="Leave it out to sign with your own key, or set it to a long random text.",
        )
    keys = [Key.of(text) for text in texts]
    return Keyring(keys[0], {key.id: key for key in keys})


def passing(store: ArtifactStore) -> Keyring:
    """The same for a process that leaves nothing on its machine, which will be gone with it: where
    there is no key, it has one for itself."""
    found = keyring(store, make=False)
    if found is not NO_KEYS:
        return found
    key = Key.of(os.urandom(32).hex())
    notice = (
        f"The artifact store {store.name!r} has no signing_key here: pickles of this process can "
        "be loaded by this process only"
    )
    return Keyring(key, {key.id: key}, notice)


def news(keys: Keyring) -> str | None:
    """What the user should know about the keys, once in a process."""
    if keys.notice is None or keys.signing.id in _told:
        return None
    _told.add(keys.signing.id)
    return keys.notice


@lru_cache(maxsize=4)
def _own(file: Path | None) -> Keyring:
    """The user's own key, made at first use."""
    try:
        key, notice = Key.of(_read_or_make(file)), None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        key = Key.of(os.urandom(32).hex())
        place = f" in {file}" if file else ""
        notice = (
            f"No signing key can be kept{place} ({reason}): pickles of this process can be "
            "loaded by this process only"
        )
    return Keyring(key, {key.id: key}, notice)


def key_file() -> Path | None:
    """Where the user's own key is kept; None for a user without a home."""
    folder = config_folder()
    return folder / "key" if folder else None


def _read_or_make(file: Path | None) -> str:
    if file is None:
        raise ValueError("this user has no home")
    if not file.exists():
        _make(file)
    text = file.read_text("utf-8").strip()
    if not text:
        raise ValueError("the file is empty")
    return text


def _make(file: Path) -> None:
    """A new key, unless another process is first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temp = file.with_name(f"key-{os.urandom(4).hex()}")
    fd = os.open(temp, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        try:
            os.write(fd, os.urandom(32).hex().encode() + b"\n")
        finally:
            os.close(fd)
        try:
            os.link(temp, file)
        except FileExistsError:
            return
        except OSError as error:
            if error.errno not in LINKS_REFUSED:
                raise
            exclusive_rename(str(temp), str(file))
    finally:
        temp.unlink(missing_ok=True)
