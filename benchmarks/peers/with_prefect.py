"""Prefect: tasks of one flow, every result persisted, runs in the server that a flow starts for
itself (SQLite in the user's home) when none is configured."""

import sys

from prefect import flow, task


@task(persist_result=True)
def zero() -> int:
    return 0


@task(persist_result=True)
def following(number: int) -> int:
    return number + 1


@flow(persist_result=True)
def chain(length: int) -> int:
    number = zero()
    for _ in range(length - 1):
        number = following(number)
    return number


if __name__ == "__main__":
    assert chain(int(sys.argv[1])) == int(sys.argv[1]) - 1
