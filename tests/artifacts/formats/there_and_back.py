"""There and back: what every test of a format does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from penstock.artifacts.formats import registry
from penstock.artifacts.materializer import Composite, NotThisFormat, Part
from penstock.digest import of_buffers


def dumped(value: object, hint: Any = None) -> tuple[str, bytearray]:
    """Format and bytes, as the store would get them."""
    for format in registry.candidates(value, hint):
        assert not isinstance(format, Composite)
        try:
            buffers = format.dump(value)
        except NotThisFormat:
            continue
        return format.format, bytearray(b"".join(buffers))
    raise AssertionError("no format took it")


def loaded(id: str, data: Any, kind: type | None = None) -> Any:
    format = registry.for_format(id, kind)
    assert not isinstance(format, Composite)
    return format.load(data)


def back(value: object, hint: Any = None) -> tuple[str, Any]:
    """Format and value, after a trip."""
    id, data = dumped(value, hint)
    return id, loaded(id, data, hint)


class Objects(dict[str, bytes]):
    """A store of objects for composites."""

    def put(self, buffers: Any) -> Part:
        data = b"".join(bytes(buffer) for buffer in buffers)
        part = Part(of_buffers([data]), len(data))
        self[part.digest] = data
        return part

    def get_part(self, part: Part) -> bytearray:
        return bytearray(self[part.digest])


def python(code: str, *arguments: str, cwd: Path | None = None) -> str:
    """What another Python prints."""
    command = [sys.executable, "-W", "error", *arguments]
    if code:
        command += ["-c", code]
    run = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()
