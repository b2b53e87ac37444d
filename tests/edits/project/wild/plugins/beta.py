def size() -> int:
    return 2
