"""A frame as one Arrow record batch, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from penstock.artifacts.formats.frames import metadata, rows
from penstock.artifacts.formats.frames.columns import column
from penstock.artifacts.formats.frames.views import Views
from penstock.artifacts.materializer import NotThisFormat
from penstock.model.plain import NotPlain, decode, encode

if TYPE_CHECKING:
    import pyarrow as pa

KEY: Final = b"penstock"
"""Where the schema keeps the notes: the kinds of the columns, what the index is, and what is no
column at all."""


class Unbatched(NamedTuple):
    """What a batch was made of."""

    columns: list[Any]
    """Numpy arrays and arrays of pandas."""
    rows: Any
    """The index."""
    notes: dict[str, Any]


def batched(
    columns: Sequence[Any], index: Any, labels: Any, notes: dict[str, Any]
) -> pa.RecordBatch:
    """Series with one index, named by `labels`. Raises `NotThisFormat`."""
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    try:
        levels = rows.columns(index)
        made = [*map(column, columns), *levels]
        kept = {"columns": [each.kind for each in made], "rows": rows.noted(index), **notes}
        names = metadata.names(labels, index, len(levels))
        fields = [pa.field(name, each.array.type) for name, each in zip(names, made, strict=True)]
        told = metadata.of_pandas(fields, [each.dtype for each in columns], labels, index)
        schema = pa.schema(fields, {b"pandas": told, KEY: encode(kept)})
        return pa.RecordBatch.from_arrays([each.array for each in made], schema=schema)
    except (pa.ArrowException, UnicodeEncodeError, NotPlain) as error:
        raise NotThisFormat(str(error)) from None


def unbatched(batch: pa.RecordBatch, views: Views) -> Unbatched:
    """Columns and index as views. Raises whatever goes wrong with bytes that are no such batch."""
    notes: dict[str, Any] = decode(batch.schema.metadata[KEY])
    pairs = list(zip(batch.columns, notes["columns"], strict=True))
    own = len(pairs) - rows.levels(notes["rows"])
    index = rows.known(notes["rows"], pairs[own:], views)
    return Unbatched([views.column(*pair) for pair in pairs[:own]], index, notes)


def sampled(batch: pa.RecordBatch, index: Any, views: Views) -> Unbatched:
    """What would come back of the first rows, of which `index` is the index. It costs no more for
    a frame of many rows."""
    notes = {**decode(batch.schema.metadata[KEY]), "rows": rows.noted(index)}
    part = batch.slice(0, len(index))
    told = {**batch.schema.metadata, KEY: encode(notes)}
    return unbatched(part.replace_schema_metadata(told), views)
