"""The baseline of `two_steps.py`: the same two functions, called."""


def squares(upto: int) -> list[int]:
    return [n * n for n in range(1, upto + 1)]


def total(numbers: list[int]) -> int:
    return sum(numbers)


if __name__ == "__main__":
    total(squares(3))
