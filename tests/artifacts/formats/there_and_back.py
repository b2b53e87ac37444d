"""There and back: what every test of a format does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from penstock.artifacts.formats import registry
from penstock.artifacts.materializer import Composite, NotThisFormat
from penstock.artifacts.source import OpenFile
from penstock.digest import of_buffers
from penstock.model.records import Part


class Objects(dict[str, bytes]):
    """A store of objects for composites."""

    def put(self, data: Any) -> Part:
        whole = b"".join(data.buffers() if isinstance(data, OpenFile) else map(bytes, data))
        part = Part(of_buffers([whole]), len(whole))
        self[part.digest] = whole
        return part

    def get(self, part: Part) -> bytearray:  # type: ignore[override] # of parts, not of digests
        return bytearray(self[part.digest])

    def write(self, part: Part, fd: int) -> None:
        os.write(fd, self[part.digest])


OBJECTS = Objects()
"""Those of all values that are dumped here."""


def dumped(value: object, hint: Any = None) -> tuple[str, bytearray]:
    """Format and bytes, as the store would get them."""
    for format in registry.candidates(value, hint):
        try:
            if isinstance(format, Composite):
                buffers = format.dump(value, OBJECTS)
            else:
                buffers = format.dump(value)
        except NotThisFormat:
            continue
        return format.format, bytearray(b"".join(buffers))
    raise AssertionError("no format took it")


def loaded(id: str, data: Any, kind: type | None = None, *, trusted: bool = False) -> Any:
    format = registry.for_format(id, kind)
    format.trusted = trusted
    if isinstance(format, Composite):
        return format.load(data, OBJECTS, _no_folder)
    return format.load(data)


def _no_folder() -> Path:
    raise AssertionError("a value without files needs no folder")


def back(value: object, hint: Any = None) -> tuple[str, Any]:
    """Format and value, after a trip."""
    id, data = dumped(value, hint)
    return id, loaded(id, data, hint)


def python(code: str, *arguments: str, cwd: Path | None = None) -> str:
    """What another Python prints."""
    command = [sys.executable, "-W", "error", *arguments]
    if code:
        command += ["-c", code]
    run = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()
