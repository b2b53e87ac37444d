"""Columns put together to a frame without being copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from penstock.artifacts.formats.frames.views import Views

Block = tuple[Any, list[int]]
"""Columns of one type as pandas keeps them, and their positions."""


def assembled(
    columns: Sequence[Any], index: pd.Index[Any], labels: Any, views: Views
) -> pd.DataFrame:
    """A frame of numpy arrays and of arrays of pandas, which it takes as they are.

    Columns of one type that lie in the file at equal distances become one block, as pandas would
    have it: a frame of many blocks is slow, and pandas warns about it.
    """
    import numpy as np  # optional: pandas brings it

    blocks: list[Block] = []
    by_type: dict[np.dtype[Any], list[int]] = {}
    for position, values in enumerate(columns):
        if len(values) != len(index):
            raise ValueError("a column has another length than the index")
        if isinstance(values, np.ndarray):
            by_type.setdefault(values.dtype, []).append(position)
        else:
            blocks.append((values, [position]))
    for positions in by_type.values():
        blocks += _blocks(columns, positions, views)
    return _frame(blocks, index, labels)


def _blocks(columns: Sequence[Any], positions: list[int], views: Views) -> Iterator[Block]:
    """Of columns of one type: copies all together, views by how far apart they lie."""
    import numpy as np  # optional: pandas brings it

    places = {position: views.place(columns[position]) for position in positions}
    apart = [position for position in positions if places[position] is None]
    if apart:
        own = [columns[position] for position in apart]
        yield np.stack(own) if len(own) > 1 else own[0].reshape(1, -1), apart
    run: list[tuple[int, int]] = []
    for position, place in places.items():
        if place is None:
            continue
        if len(run) > 1 and place - run[-1][1] != run[1][1] - run[0][1]:
            yield _block(columns, run, views)
            run = []
        run.append((position, place))
    if run:
        yield _block(columns, run, views)


def _block(columns: Sequence[Any], run: list[tuple[int, int]], views: Views) -> Block:
    """One view of columns that lie at equal distances."""
    import numpy as np  # optional: pandas brings it

    (first, begin), *rest = run
    values = columns[first]
    step = rest[0][1] - begin if rest else values.nbytes
    strides = (step, values.itemsize)
    shape = (len(run), len(values))
    block = np.ndarray(shape, values.dtype, buffer=views.data, offset=begin, strides=strides)
    return block, [position for position, _ in run]


def _frame(blocks: Sequence[Block], index: pd.Index[Any], labels: Any) -> pd.DataFrame:
    """The frame of these blocks, by the door that pandas keeps for Arrow."""
    import numpy as np  # optional: pandas brings it
    import pandas as pd  # optional: the registry has made sure of it

    pandas: Any = pd
    placed = [(values, np.array(positions, np.intp)) for values, positions in blocks]
    if sum(len(positions) for _, positions in placed) != len(labels):
        raise ValueError("there are more or fewer labels than columns")
    frame: pd.DataFrame
    if hasattr(pandas.api, "internals"):  # since pandas 3
        frame = pandas.api.internals.create_dataframe_from_blocks(placed, index, labels)
        return frame
    inner = pandas.core.internals
    made = [inner.make_block(values, placement=where) for values, where in placed]
    manager = inner.BlockManager(made, [labels, index])
    frame = pandas.DataFrame._from_mgr(manager, manager.axes)
    return frame
