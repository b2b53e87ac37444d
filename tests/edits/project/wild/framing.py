HELD = 1


def held() -> int:
    return 1
