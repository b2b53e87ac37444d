"""The archive: files as bytes. The same files make the same bytes, whoever packs them, where and
when. It is a `tar.gz`, so anybody can look into one."""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from penstock.errors import CorruptArtifact

# More would cost twice the time for a tenth of the bytes. Another build of zlib may make other
# bytes of the same files: then one archive more is uploaded, and nothing else happens.
_LEVEL: Final = 6
_GZIP: Final = 16 + zlib.MAX_WBITS  # its header has no time and no name

_END: Final = bytes(2 * tarfile.BLOCKSIZE)


class Member(NamedTuple):
    """One file, or a link."""

    name: str
    """Relative, with forward slashes; bytes that are no UTF-8 as `surrogateescape` has them."""
    data: bytes = b""
    executable: bool = False
    link: str = ""
    """Where it leads, relative to its own folder; empty for a file."""


def written(members: Iterable[Member]) -> bytes:
    """An archive of these, sorted by their names."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    parts: list[bytes] = []
    for member in sorted(members, key=lambda member: _bytes(member.name)):
        parts.append(packer.compress(_head(member)))
        if not member.link:
            parts.append(packer.compress(member.data + bytes(-len(member.data) % 512)))
    return b"".join([*parts, packer.compress(_END), packer.flush()])


def read(data: bytes) -> Iterator[Member]:
    """The members of an archive, those that lead out of it refused. Raises `CorruptArtifact`."""
    try:
        text = zlib.decompress(data, _GZIP)
        with tarfile.open(fileobj=io.BytesIO(text), mode="r:", errors="surrogateescape") as tar:
            for item in tar:
                yield _member(tar, item)
    except (tarfile.TarError, zlib.error, EOFError, ValueError, OSError) as error:
        raise CorruptArtifact(f"This is no archive of code: {error}.") from error


def unpacked(members: Iterable[Member], folder: Path) -> frozenset[str]:
    """Write members into a folder that is empty, or is made; their names. Nothing is written
    outside of it. Raises `CorruptArtifact`, with part of them written."""
    found = {member.name: member for member in members}
    # Links come last: no file is written through one.
    links = [member for member in found.values() if member.link]
    try:
        for above in sorted({os.path.dirname(name) for name in found}):
            os.makedirs(folder / above, exist_ok=True)
        for member in found.values():
            if not member.link:
                _write(f"{folder}/{member.name}", member)
        for member in links:
            os.symlink(member.link, f"{folder}/{member.name}")
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise CorruptArtifact(f"Two members of the archive have one place: {error}.") from error
    _refuse_escapes(folder, links)
    return frozenset(found)


def is_inside(name: str) -> bool:
    """Whether a name of a member is a place below the folder in which it is unpacked."""
    return bool(name) and not {"", ".", ".."} & set(name.split("/")) and "\0" not in name


def leads_inside(name: str, link: str) -> bool:
    """Whether a link stays inside, as far as its text says."""
    if not link or link.startswith("/") or "\0" in link:
        return False
    found = os.path.normpath(os.path.join(os.path.dirname(name), link))
    return found != ".." and not found.startswith("../")


def _head(member: Member) -> bytes:
    """Owner, group and time are nobody's; of the modes only what git keeps is kept."""
    head = tarfile.TarInfo(member.name)
    head.mode = 0o755 if member.executable else 0o644
    if member.link:
        head.type, head.linkname, head.mode = tarfile.SYMTYPE, member.link, 0o777
    else:
        head.size = len(member.data)
    return head.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _member(tar: tarfile.TarFile, item: tarfile.TarInfo) -> Member:
    # tarfile takes slashes off the end of names; one at the beginning is left.
    if not is_inside(item.name):
        raise CorruptArtifact(f"The archive has a member {item.name!r}, which is no place in it.")
    if item.issym():
        if not leads_inside(item.name, item.linkname):
            raise CorruptArtifact(f"The link {item.name!r} leads out of it, to {item.linkname!r}.")
        return Member(item.name, link=item.linkname)
    if not item.isreg():
        raise CorruptArtifact(f"The archive has a member {item.name!r} that is no file or link.")
    content = tar.extractfile(item)
    return Member(item.name, content.read() if content else b"", bool(item.mode & 0o100))


def _write(path: str, member: Member) -> None:
    mode = 0o755 if member.executable else 0o644
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(member.data)


def _refuse_escapes(folder: Path, links: Iterable[Member]) -> None:
    """A link may stay inside by its text, and lead out by way of another link."""
    root = os.path.realpath(folder)
    for member in links:
        leads = os.path.realpath(f"{root}/{member.name}")
        if leads != root and not leads.startswith(f"{root}/"):
            raise CorruptArtifact(f"The link {member.name!r} leads out of the archive.")


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
