"""Tables as Arrow IPC files, which any Arrow library opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer

if TYPE_CHECKING:
    import pyarrow as pa


class Arrow(Materializer["pa.Table"]):
    """A `pyarrow.Table`. Its extension types must be Arrow's own: of others, a process that did
    not register them would see the storage only."""

    format: ClassVar[str] = "arrow/1"
    suffix: ClassVar[str] = ".arrow"

    def dump(self, value: pa.Table) -> Sequence[Buffer]:
        import pyarrow as pa  # optional: here because the value is a table

        if type(value) is not pa.Table:
            raise NotThisFormat(f"{type(value).__qualname__} would come back as a Table")
        if any("extension<" in str(field.type) for field in value.schema):
            raise NotThisFormat("it has extension types")
        return dumped(value)

    def load(self, data: Buffer) -> pa.Table:
        return loaded(data, self.format, self.trusted)


class _Pieces:
    """A file to write to that keeps what it is given. Arrow gives its buffers without a copy."""

    closed = False

    def __init__(self) -> None:
        self.pieces: list[Buffer] = []

    def write(self, piece: Any) -> int:
        self.pieces.append(piece if isinstance(piece, bytes) else memoryview(piece))
        return len(piece)

    def flush(self) -> None: ...

    def close(self) -> None: ...


def dumped(value: pa.Table | pa.RecordBatch) -> Sequence[Buffer]:
    """The value's buffers between Arrow's own messages. Raises `NotThisFormat`."""
    import pyarrow as pa  # optional: whoever has a table has it

    sink = _Pieces()
    # One dictionary per column: a file, unlike a stream, cannot hold a second one.
    options = pa.ipc.IpcWriteOptions(unify_dictionaries=True)
    try:
        with (
            pa.PythonFile(sink, mode="w") as file,
            pa.ipc.new_file(file, value.schema, options=options) as writer,
        ):
            writer.write(value)
            if not value.num_rows and isinstance(value, pa.Table):
                # Else there would be no batch, and no dictionary.
                columns = [column.combine_chunks() for column in value.columns]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=value.schema))
    except pa.ArrowException as error:
        raise NotThisFormat(str(error)) from None
    return sink.pieces


def loaded(data: Buffer, format: str, trusted: bool) -> pa.Table:
    """The table as a view of the data.

    Of data that is not trusted every offset is checked: Arrow itself believes what it reads, and
    would follow it anywhere.
    """
    with reading(format):
        table = _opened(data).read_all()
        if not trusted:
            table.validate(full=True)
        return table


def only_batch(data: Buffer, trusted: bool) -> pa.RecordBatch:
    """The batch of a file that has one, as a view of the data, checked like a table. Raises
    whatever Arrow does, or `ValueError`."""
    file = _opened(data)
    if file.num_record_batches != 1:
        raise ValueError("there is not one batch")
    batch = file.get_batch(0)
    if not trusted:
        batch.validate(full=True)
    return batch


def _opened(data: Buffer) -> pa.RecordBatchFileReader:
    import pyarrow as pa  # optional: the registry has made sure of it

    return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(data)))
