"""What can be seen of a stored value without loading it. No pickle is ever opened."""

from __future__ import annotations

import ast
import json
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from penstock.artifacts.formats import items
from penstock.artifacts.store import Buffer
from penstock.model.binding import Binding, Held, Literally


def of(format: str, data: Buffer, most: int) -> str | None:
    """Some lines about the bytes, which were checked before; nothing if they say nothing.

    Text is cut after `most` characters.
    """
    try:
        return _KNOWN.get(format, _text)(memoryview(data), most)
    except Exception:  # bytes may hold anything, and Arrow raises what it likes
        return None


def _text(data: memoryview, most: int) -> str | None:
    head = bytes(data[: 4 * most + 4])
    if b"\0" in head:
        return None
    whole = len(head) == len(data)
    text = head.decode("utf-8", "strict" if whole else "ignore")
    if len(text.encode()) < len(head) - 3:  # more was ignored than a character that is cut in two
        return None
    return text if whole and len(text) <= most else f"{text[:most]}…"


def _npy(data: memoryview, most: int) -> str:
    wide = data[6] > 1
    (size,) = struct.unpack_from("<I" if wide else "<H", data, 8)
    start = 12 if wide else 10
    header = ast.literal_eval(bytes(data[start : start + size]).decode("utf-8"))
    shape = " × ".join(map(str, header["shape"])) or "a scalar"
    return f"shape {shape}, dtype {_dtype(header['descr'])}"


def _dtype(descr: Any) -> str:
    """As numpy prints it, for the plain ones: `<f8` is float64."""
    kind = {"f": "float", "i": "int", "u": "uint", "c": "complex"}.get(descr[1:2])
    if isinstance(descr, str) and kind and descr[0] in "<|":
        return f"{kind}{8 * int(descr[2:])}"
    return "bool" if descr == "|b1" else str(descr)


def _arrow(data: memoryview, most: int) -> str:
    import pyarrow as pa  # optional, and heavy; without it there is no preview

    with pa.ipc.open_file(pa.BufferReader(pa.py_buffer(data))) as file:
        rows = sum(file.get_batch(i).num_rows for i in range(file.num_record_batches))
        columns = [f"  {field.name}: {field.type}" for field in file.schema]
    return "\n".join([f"{rows:,} rows, {len(columns):,} columns", *columns])


def _path(data: memoryview, most: int) -> str:
    manifest = json.loads(bytes(data))
    entries = manifest["files"]
    slash = "/" if manifest["kind"] == "tree" else ""
    lines = [f"{manifest['name']}{slash}"]
    if slash:
        lines += [f"  {entry['path']}  {entry['size']:,} bytes" for entry in entries[:MANY]]
    else:
        lines[0] += f"  {entries[0]['size']:,} bytes"
    if slash and len(entries) > MANY:
        lines.append(f"  … and {len(entries) - MANY:,} more files")
    return "\n".join(lines)


def _file(data: memoryview, most: int) -> str:
    return _reference(json.loads(bytes(data)))


def _files(data: memoryview, most: int) -> str:
    found = json.loads(bytes(data))["files"]
    rest = [f"… and {len(found) - MANY:,} more"] if len(found) > MANY else []
    return "\n".join([*(_reference(told) for _, told in found[:MANY]), *rest])


def _reference(told: Any) -> str:
    """Where it leads, and what was there. Nobody looks whether it still is."""
    many = f", {told['files']:,} files" if told["kind"] == "folder" else ""
    return f"→ {told['path']}  {told['size']:,} bytes{many}"


def _items(data: memoryview, most: int) -> str:
    """How many there are of each format."""
    found = items.read(data)
    formats = Counter(_format(item) for item in found.items)
    lines = [f"  {format} × {count:,}" for format, count in sorted(formats.items())]
    return "\n".join([f"{len(found.items):,} items", *lines])


def _format(item: Binding) -> str:
    if type(item) is Held:
        return item.artifact.format
    return "plain data" if type(item) is Literally else "several outputs"


def _nothing(data: memoryview, most: int) -> None:
    """A pickle is for nobody but pickle."""


MANY: Final = 20
"""Files of a folder that are named."""

_KNOWN: Final[Mapping[str, Callable[[memoryview, int], str | None]]] = {
    **dict.fromkeys(("npy/1", "npy-scalar/1"), _npy),
    **dict.fromkeys(("arrow/1", "pandas-arrow/1", "pandas-series-arrow/1"), _arrow),
    **dict.fromkeys(("pandas-arrow/2", "pandas-series-arrow/2"), _arrow),
    **dict.fromkeys(("polars-arrow/1", "polars-series-arrow/1"), _arrow),
    "path/1": _path,
    "file/1": _file,
    "files/1": _files,
    **dict.fromkeys((items.ITEMS, items.SIGNED), _items),
    **dict.fromkeys(("pickle/1", "cloudpickle/1"), _nothing),
}
