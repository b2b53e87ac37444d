"""ZenML: steps of one pipeline on the default stack (local orchestrator and artifact store, SQLite
in the user's home), without its cache."""

import sys

from zenml import pipeline, step


@step
def zero() -> int:
    return 0


@step
def following(number: int) -> int:
    return number + 1


@pipeline(enable_cache=False)
def chain(length: int) -> None:
    number = zero()
    for _ in range(length - 1):
        number = following(number)


def main(length: int) -> None:
    run = chain(length)
    last = "following" if length == 2 else f"following_{length - 1}"
    assert run.steps[last].output.load() == length - 1


if __name__ == "__main__":
    main(int(sys.argv[1]))
