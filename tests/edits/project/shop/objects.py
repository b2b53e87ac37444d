"""Objects that go from step to step: what their classes do counts where they arrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock import Materializer, materializer, step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock import Buffer

BIAS = 1


def shift(value: int) -> int:
    return value + BIAS


class Linear:
    def predict(self, rows: list[int]) -> list[int]:
        return [shift(row * self.weight) for row in rows]

    weight = 2


class Model(Linear):
    def __init__(self, size: int) -> None:
        self.size = size


@dataclass
class Order:
    price: int = 1

    def total(self) -> int:
        return self.price + fee()


def fee() -> int:
    return 2


def unpacked(size: int) -> Packed:
    return Packed(size + 1)


class Packed:
    def __init__(self, size: int) -> None:
        self.size = size

    def __reduce__(self) -> tuple[Callable[[int], Packed], tuple[int]]:
        return unpacked, (self.size - 1,)


class Tiles:
    def __init__(self, count: int) -> None:
        self.count = count


@materializer(Tiles)
class TilesFormat(Materializer[Tiles]):
    format = "shop-tiles/1"

    def dump(self, value: Tiles) -> Sequence[Buffer]:
        return [str(value.count).encode()]

    def load(self, data: Buffer) -> Tiles:
        return Tiles(int(bytes(data)))


@step
def fit(rows: list[int]) -> Model:
    return Model(len(rows))


@step
def evaluate(model: Any, rows: list[int]) -> int:
    return sum(model.predict(rows))


@step
def evaluate_all(models: list[Any], rows: list[int]) -> int:
    return sum(sum(model.predict(rows)) for model in models)


@step
def ordered() -> Order:
    return Order(3)


@step
def billed(order: Order) -> int:
    return order.total()


@step
def packed() -> Any:
    return Packed(4)


@step
def rebuilt(item: Any) -> int:
    return int(item.size)


@step
def tiled() -> Tiles:
    return Tiles(4)


@step
def count_tiles(tiles: Tiles) -> int:
    return tiles.count


def drawn() -> dict[str, object]:
    """What a pipeline does with them; each of them makes one object and uses it."""
    rows = [1, 2]
    model = fit(rows)
    return {
        "evaluate": evaluate(model, rows),
        "evaluate_all": evaluate_all([model], rows),
        "billed": billed(ordered()),
        "rebuilt": rebuilt(packed()),
        "count_tiles": count_tiles(tiled()),
    }
