"""What other readers of a frame's file are told, in the way that pandas itself would say it.

Without versions and without what only `penstock` reads: equal frames are equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pyarrow as pa

_dump: Final = json.JSONEncoder().encode


def names(labels: Any, index: Any, levels: int) -> list[str]:
    """Names of all columns in the file: those of the frame, then those of its index."""
    made = [str(label) for label in labels]
    taken = set(made)
    for number, name in enumerate(index.names[:levels]):
        free = type(name) is str and name not in taken
        made.append(name if free else f"__index_level_{number}__")
        taken.add(made[-1])
    return made


def of_pandas(fields: Sequence[pa.Field], dtypes: Sequence[Any], labels: Any, index: Any) -> str:
    """The metadata under `pandas`. The index is behind the frame's own columns."""
    own = len(labels)
    kinds = [*dtypes, *index.dtypes] if index.nlevels > 1 else [*dtypes, index.dtype]
    columns = [_column(*pair) for pair in zip(fields, kinds, strict=False)]
    for column, name in zip(columns[own:], index.names, strict=False):
        column["name"] = None if name is None else str(name)
    spelled: list[Any] = [column["field_name"] for column in columns[own:]]
    if not spelled:
        spelled.append(
            {
                "kind": "range",
                "name": None if index.name is None else str(index.name),
                "start": index.start,
                "stop": index.stop,
                "step": index.step,
            }
        )
    above = {"name": None if labels.name is None else str(labels.name), **_labels(labels)}
    return _dump(
        {
            "index_columns": spelled,
            "column_indexes": [above],
            "columns": columns,
            "creator": {"library": "penstock"},
        }
    )


def _column(field: pa.Field, dtype: Any) -> dict[str, Any]:
    """One column. Its `numpy_type` is what readers go by."""
    import numpy as np  # optional: pandas brings it
    import pandas as pd  # optional: here because the value is pandas'
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    kind, spelled, more = str(field.type), str(dtype), None
    if pa.types.is_dictionary(field.type) and not isinstance(dtype, pd.ArrowDtype):
        kind, spelled = "categorical", str(field.type.index_type)
        more = {"ordered": field.type.ordered}
    elif isinstance(dtype, pd.DatetimeTZDtype):
        kind, spelled, more = "datetimetz", f"datetime64[{dtype.unit}]", {"timezone": field.type.tz}
    elif isinstance(dtype, np.dtype) and dtype.kind != "O":
        kind = "datetime" if dtype.kind == "M" else dtype.name
    elif kind == "large_string":
        kind = "unicode"
    return {
        "name": field.name,
        "field_name": field.name,
        "pandas_type": kind,
        "numpy_type": spelled,
        "metadata": more,
    }


def _labels(labels: Any) -> dict[str, Any]:
    """What kind of labels there are: numbers are numbers again, others are text."""
    whole = getattr(labels.dtype, "kind", "O") in "iu" and labels.nlevels == 1
    kind = "int64" if whole else "unicode"
    spelled = "int64" if whole else "object"
    return {"field_name": None, "pandas_type": kind, "numpy_type": spelled, "metadata": None}
