def latest(value: int) -> int:
    return value + 1
