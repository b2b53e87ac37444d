"""Work in a thread of its own, for somebody who may stop waiting for it."""

import threading

import pytest

from penstock.runtime.aside import Aside

LONG = 30.0


def test_who_waits_learns_that_it_is_done() -> None:
    done: list[int] = []
    assert Aside(lambda: done.append(1)).wait(LONG)
    assert done == [1]


def test_who_has_waited_long_enough_goes_on() -> None:
    go = threading.Event()
    assert not Aside(lambda: assert_opened(go)).wait(0.01)
    go.set()


def test_what_it_raises_is_raised_where_it_is_waited_for() -> None:
    with pytest.raises(ZeroDivisionError):
        Aside(lambda: print(1 / 0)).wait(LONG)


def assert_opened(go: threading.Event) -> None:
    assert go.wait(LONG)
