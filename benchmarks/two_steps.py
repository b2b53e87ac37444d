"""Hello: two steps and a pipeline, as a whole process."""

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
    hello.run()
