"""Numbers of numpy: as globals, and as parameters."""

from typing import Any

import numpy as np

from penstock import step

WEIGHTS = np.array([1.0, 2.0])
SCALE = np.float64(2.0)
TABLE = {"rows": np.arange(6).reshape(2, 3)}


@step
def weighs() -> float:
    return float(WEIGHTS.sum() / 3)


@step
def sizes() -> int:
    return int(WEIGHTS.nbytes)


@step
def scales() -> str:
    return type(SCALE).__name__ + str(float(SCALE))


@step
def shapes() -> list[int]:
    return [int(size) for size in TABLE["rows"].shape]


@step
def tells(value: Any) -> str:
    return type(value).__name__


def drawn() -> dict[str, object]:
    """What a pipeline does with them."""
    return {
        "weighs": weighs(),
        "sizes": sizes(),
        "scales": scales(),
        "shapes": shapes(),
        "tells": tells(1.0),
    }
