"""A step with several outputs: each is an artifact of its own, with a name.

A NamedTuple names them in code; `tuple[Annotated[int, "low"], ...]` does so in the annotation.

    $ python examples/several_outputs.py
    Split(train=[1, 2, 3], test=[4, 5])
    low 1 high 3
    ['split/train', 'split/test', 'extremes/low', 'extremes/high']
"""

from typing import Annotated, NamedTuple

from penstock import pipeline, step


class Split(NamedTuple):
    train: list[int]
    test: list[int]


@step
def split(rows: list[int], share: float) -> Split:
    cut = round(len(rows) * share)
    return Split(rows[:cut], rows[cut:])


@step
def extremes(rows: list[int]) -> tuple[Annotated[int, "low"], Annotated[int, "high"]]:
    return min(rows), max(rows)


@pipeline
def splitting(share: float = 0.6) -> tuple[Split, int, int]:
    parts = split([1, 2, 3, 4, 5], share)
    low, high = extremes(parts.train)
    return parts, low, high


if __name__ == "__main__":
    run = splitting.run()
    parts, low, high = run.result()
    print(parts)
    print("low", low, "high", high)
    print([f"{step.id}/{name}" for step in run for name in step.outputs])
