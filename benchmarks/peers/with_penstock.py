"""penstock, on the default stack: every step is recorded, signed, and its result stored."""

import sys

from penstock import pipeline, step


@step
def zero() -> int:
    return 0


@step
def following(number: int) -> int:
    return number + 1


@pipeline(cache=False)
def chain(length: int) -> int:
    number = zero()
    for _ in range(length - 1):
        number = following(number)
    return number


if __name__ == "__main__":
    assert chain.run(int(sys.argv[1])).result() == int(sys.argv[1]) - 1
