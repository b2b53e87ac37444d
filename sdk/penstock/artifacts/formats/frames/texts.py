"""The types of text that pandas has, as plain data: they were spelled in several ways."""

from __future__ import annotations

from typing import Any

from penstock.errors import UnsupportedValue


def noted(dtype: Any) -> list[str]:
    """Where the text lies ("python" or "pyarrow"), and what is missing ("NA" or "nan")."""
    storage, _, numpy = dtype.storage.partition("_")  # "pyarrow_numpy" before pandas 3
    return [storage, "nan" if numpy or isinstance(dtype.na_value, float) else "NA"]


def known(storage: str, missing: str) -> Any:
    """The dtype again. Raises `UnsupportedValue` if this pandas does not have it."""
    import numpy as np  # optional: pandas brings it
    import pandas as pd  # optional: the registry has made sure of it

    if missing == "NA":
        return pd.StringDtype(storage)
    try:
        return pd.StringDtype(storage, na_value=np.nan)
    except TypeError:  # before pandas 2.3
        if storage == "pyarrow":
            return pd.StringDtype("pyarrow_numpy")
        raise UnsupportedValue(
            f"A column is text as pandas 3 has it, which pandas {pd.__version__} lacks.",
            hint="pip install --upgrade pandas",
        ) from None
