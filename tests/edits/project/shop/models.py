"""Models of pydantic, and a function of numpy's that was made of one of Python's."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, create_model

from penstock import step

FOUND = json.loads(Path(__file__).with_name("found.json").read_text())


class Order(BaseModel):
    amount: int = FOUND["amount"]


Created: Any = create_model("Created", size=(int, 3))


def raised(value: int) -> int:
    return value + 1


RAISED: Any = np.frompyfunc(raised, 1, 1)


@step
def ordered() -> int:
    return Order().amount


@step
def created() -> int:
    return int(Created().size)


@step
def by_numpy() -> int:
    return int(RAISED(1))
