"""Two steps and a pipeline: the whole idea.

Run it twice. The second time nothing is computed: both results come out of the store.

    $ python examples/hello.py
    [1, 4, 9]
    14
"""

from penstock import pipeline, step


@step
def squares(upto: int) -> list[int]:
    return [n * n for n in range(1, upto + 1)]


@step
def total(numbers: list[int]) -> int:
    return sum(numbers)


@pipeline
def hello(upto: int = 3) -> int:
    return total(squares(upto))


if __name__ == "__main__":
    run = hello.run(upto=3)
    print(run["squares"].output.load())
    print(run.result())
