"""A module that answers for every name."""


def __getattr__(name: str) -> int:
    return len(name)
