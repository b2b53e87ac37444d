"""Queries of pandas, which name what is around them in text."""

import pandas as pd

from penstock import step
from shop.features import lifted

LIMIT = 1
QUERY = "a > @FLOOR"
FLOOR = 2


def frame() -> pd.DataFrame:
    return pd.DataFrame({"a": [1, 2, 3]})


@step
def queries() -> int:
    return len(frame().query("a > @LIMIT"))


@step
def queries_by_name() -> int:
    return len(frame().query(QUERY))


@step
def evaluates() -> int:
    return int(frame().eval("@lifted(a)").sum())


@step
def evaluates_text() -> int:
    return int(pd.eval("SIZE + 1"))


SIZE = 1
assert lifted
