"""Bytes that are wrong raise penstock's errors and nothing else, whatever is wrong with them."""

import mmap
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from there_and_back import dumped, loaded, python

from penstock.errors import CorruptArtifact, PenstockError

VALUES: dict[str, Any] = {
    "json/1": {"a": [1, (2.5, None)], "b": {3}, "c": b"x", (1,): float("nan")},
    "text/1": "é😀",
    "memoryview/1": memoryview(b"ab"),
    "npy/1": np.zeros((2, 3), [("a", "<i4"), ("é", "<U2")]),
    "npy-scalar/1": np.float64(1.5),
    "arrow/1": pa.table({"a": [1, None], "s": ["x", "long enough to be outside"]}),
    "pandas-arrow/2": pd.DataFrame({"a": [1, 2], "c": pd.Categorical(["x", "y"])}),
    "pandas-series-arrow/2": pd.Series(["x", "y"], name="n"),
    "polars-arrow/1": pl.DataFrame(
        {"a": ["x", "yy"], "e": pl.Series(["u", "v"], dtype=pl.Enum(["u", "v"]))}
    ),
    "polars-series-arrow/1": pl.Series("n", [[1], [2, 3]]),
    "pickle/1": [np.arange(1000), {"a"}, 1.5],
}  # fmt: skip


def touched(value: Any) -> None:
    """Use every part of a value: a wrong offset shows when it is followed."""
    if isinstance(value, (pd.DataFrame, pd.Series, pl.DataFrame, pl.Series, pa.Table)):
        repr(value)
        value.to_pandas() if isinstance(value, pa.Table) else value.to_numpy()


@pytest.mark.parametrize("id", VALUES)
def test_truncated_bytes_are_corrupt(id: str) -> None:
    found, data = dumped(VALUES[id])
    assert found == id
    whole = id in ("text/1", "memoryview/1")
    for length in range(0, len(data), 1 if len(data) < 3000 else 7):
        try:
            touched(loaded(id, data[:length]))
        except CorruptArtifact:
            continue
        assert whole, f"{length} of {len(data)} bytes were taken for {id}"


@pytest.mark.parametrize("id", VALUES)
def test_a_private_mapping_of_a_file_will_do(id: str, tmp_path: Path) -> None:
    _, data = dumped(VALUES[id])
    (tmp_path / "object").write_bytes(data)

    with (tmp_path / "object").open("rb") as file:
        found = loaded(id, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    touched(found)
    if isinstance(found, np.ndarray):
        found.view("u1")[...] = 1

    assert repr(loaded(id, bytearray(data))) == repr(VALUES[id]) or id == "memoryview/1"
    assert (tmp_path / "object").read_bytes() == data


FLIP = """
import sys, warnings
sys.path.append(HERE)
warnings.simplefilter("ignore")
from test_malformed import VALUES, dumped, flipped
for id in sorted({*VALUES} - {"pickle/1"}):
    print(id, flush=True)
    flipped(id)
print("alive")
"""


def flipped(id: str) -> None:
    _, data = dumped(VALUES[id])
    rng = random.Random(id)
    for _ in range(400):
        bad = bytearray(data)
        for _ in range(rng.choice((1, 1, 3))):
            bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        try:
            touched(loaded(id, bad))
        except PenstockError:
            continue


def test_flipped_bits_raise_penstock_errors_only() -> None:
    """In another process: what must not happen is that it ends."""
    here = repr(__file__.rpartition("/")[0])
    assert python("", "-c", FLIP.replace("HERE", here)).endswith("alive")


def test_flipped_bits_in_the_frame_of_a_pickle_raise_penstock_errors_only() -> None:
    id, data = dumped(VALUES["pickle/1"])
    for bit in range(8 * 56):  # header and one entry; the stream itself is signed
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        try:
            array, *rest = loaded(id, bad)
        except CorruptArtifact:
            continue
        assert (array.tolist(), rest) == (list(range(1000)), [{"a"}, 1.5])


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (10**9,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
        "{'descr': '<f8', 'fortran_order': 1, 'shape': (1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': [1], }",
        "{'descr': '<f8', 'fortran_order': False, }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,), }",
        "__import__('os').getcwd()",
        "[" * 5000,
        "",
    ],
    ids=lambda header: header[:60],
)
def test_a_hostile_npy_header_is_corrupt(header: str) -> None:
    raw = header.encode()
    data = b"\x93NUMPY\1\0" + len(raw).to_bytes(2, "little") + raw + bytes(8)

    with pytest.raises(CorruptArtifact):
        loaded("npy/1", data)


@pytest.mark.parametrize(
    "text",
    ['{"$set":[[]]}', '{"$bytes":1}', '{"$tuple":1}', '{"$int":"x"}', '{"$dict":[1]}', "[" * 10**5],
    ids=lambda text: text[:20],
)
def test_hostile_json_is_corrupt(text: str) -> None:
    with pytest.raises(CorruptArtifact):
        loaded("json/1", text.encode())
