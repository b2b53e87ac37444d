"""The bytes of `pandas-arrow/1` and `pandas-series-arrow/1`, as the first version wrote them."""

from __future__ import annotations

from typing import Any

from penstock.artifacts.formats import arrow
from penstock.artifacts.formats.frames.batch import KEY
from penstock.artifacts.store import Buffer
from penstock.model.plain import encode

FIRST = ("pandas-arrow/1", "pandas-series-arrow/1")


def written(value: Any) -> list[Buffer]:
    """Of a frame or a series whose labels are text, and whose zones are not of Python."""
    import pyarrow as pa

    notes: dict[str, Any] = {}
    if value.ndim == 1:
        notes["name"], value = value.name, value.to_frame("values")
    objects = [n for n, dtype in enumerate(value.dtypes) if dtype == "object"]
    table = pa.Table.from_pandas(value)
    told = {**table.schema.metadata, KEY: encode({**notes, "objects": objects, "zones": []})}
    return list(arrow.dumped(table.replace_schema_metadata(told)))
