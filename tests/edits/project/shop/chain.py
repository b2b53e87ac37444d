"""Three steps in a row."""

from penstock import step


@step
def load(start: int = 1) -> list[int]:
    """Some numbers."""
    return [start, 2, 3]


@step(retries=1)
def total(values: list[int], weights: dict[str, int], base: float = 0) -> float:
    return sum(values) * float(weights["a"]) + base


@step
def halved(value: float) -> float:
    return value / 2


def drawn() -> dict[str, object]:
    """What a pipeline does with them."""
    rows = load()
    summed = total(rows, weights={"a": 2, "b": 3}, base=1)
    return {"load": rows, "total": summed, "halved": halved(summed)}
