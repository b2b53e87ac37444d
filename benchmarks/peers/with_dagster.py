"""Dagster: ops of one job in the in-process executor, every result in a file of the instance.

The instance keeps runs and events in SQLite, as it does by default; by default, though, each op
would be a process of its own, which takes far longer.
"""

import sys

from dagster import DagsterInstance, execute_job, in_process_executor, job, op, reconstructable


@op
def zero() -> int:
    return 0


@op
def following(number: int) -> int:
    return number + 1


@job(executor_def=in_process_executor)
def chain() -> None:
    number = zero()
    for _ in range(int(sys.argv[1]) - 1):
        number = following(number)


def main(length: int) -> None:
    last = "following" if length == 2 else f"following_{length - 1}"
    with (
        DagsterInstance.get() as instance,
        execute_job(reconstructable(chain), instance=instance) as result,
    ):
        assert result.success
        assert result.output_for_node(last) == length - 1


if __name__ == "__main__":
    main(int(sys.argv[1]))
