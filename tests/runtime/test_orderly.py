"""What a signal ends, and what it does not."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.runtime.orderly import Orderly
from penstock.runtime.stopping import Terminated

RAISED = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated, signal.SIGHUP: Terminated}


class Scene:
    """Work, and the putting in order after it. The handler of a signal runs before `kill` ends."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def play(self, *, before: int = 0, within: int = 0, after: int = 0) -> None:
        with Orderly() as orderly:
            _kill(before)
            try:
                with orderly.work:
                    _kill(within)
                    self.done.append("work")
            finally:
                _kill(after)
                self.done.append("in order")


def _kill(number: int) -> None:
    if number:
        os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def _handlers_of_a_fresh_process() -> Iterator[None]:
    """Of another test there may still be a run that listens, and whoever started the tests may
    have had a signal ignored."""
    defaults = dict.fromkeys(RAISED, signal.SIG_DFL)
    defaults[signal.SIGINT] = signal.default_int_handler  # type: ignore[assignment]
    before = {number: signal.signal(number, handler) for number, handler in defaults.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("number", RAISED)
def test_a_signal_ends_the_work_and_not_the_putting_in_order(
    scene: Scene, number: signal.Signals
) -> None:
    with pytest.raises(RAISED[number]):
        scene.play(within=number, after=number)
    assert scene.done == ["in order"]


@pytest.mark.parametrize("number", RAISED)
def test_a_signal_that_comes_while_things_are_put_in_order_waits_for_the_end(
    scene: Scene, number: signal.Signals
) -> None:
    with pytest.raises(RAISED[number]):
        scene.play(after=number)
    assert scene.done == ["work", "in order"]


def test_a_signal_that_came_before_the_work_ends_it_where_it_begins(scene: Scene) -> None:
    with pytest.raises(KeyboardInterrupt):
        scene.play(before=signal.SIGINT)
    assert scene.done == ["in order"]


def test_the_first_signal_counts(scene: Scene) -> None:
    with pytest.raises(Terminated) as caught:
        scene.play(within=signal.SIGTERM, after=signal.SIGINT)
    assert caught.value.number == signal.SIGTERM


def failing() -> None:
    with Orderly() as orderly:
        try:
            with orderly.work:
                raise ValueError("what went wrong")
        finally:
            _kill(signal.SIGINT)


def test_an_error_of_the_work_is_told_rather_than_a_signal_that_comes_after_it() -> None:
    with pytest.raises(ValueError, match="what went wrong"):
        failing()


def test_afterwards_the_handlers_are_as_before() -> None:
    before = [signal.getsignal(number) for number in RAISED]
    with Orderly():
        assert [signal.getsignal(number) for number in RAISED] != before
    assert [signal.getsignal(number) for number in RAISED] == before


def test_a_handler_of_the_users_own_stays() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with Orderly() as orderly, orderly.work:
            _kill(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_in_another_thread_it_does_nothing() -> None:
    found = []

    def work() -> None:
        with Orderly() as orderly, orderly.work:
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


class Struck:
    """A signal arrives in its finalizer."""

    def __del__(self) -> None:
        _kill(signal.SIGTERM)


def struck(done: list[str], *, then: int = 0) -> None:
    """Work of two parts; after the first one there is perhaps another signal."""
    with Orderly() as orderly, orderly.work:
        Struck()
        _kill(then)
        done.append("still at work")
        orderly.work.check()
        done.append("too long")


def test_what_python_keeps_in_a_finalizer_ends_the_work_where_it_asks(
    capfd: pytest.CaptureFixture[str],
) -> None:
    done: list[str] = []
    with pytest.raises(Terminated):
        struck(done)
    assert done == ["still at work"]
    assert "Exception ignored" not in "".join(capfd.readouterr())


def test_after_what_python_keeps_in_a_finalizer_the_next_signal_ends_the_work() -> None:
    done: list[str] = []
    with pytest.raises(Terminated) as caught:
        struck(done, then=signal.SIGHUP)
    assert caught.value.number == signal.SIGTERM  # the first one counts
    assert done == []


class Broken:
    def __del__(self) -> None:
        raise ValueError("of somebody else")


def test_errors_of_others_in_finalizers_are_told_as_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: told.append(what.exc_value))
    with Orderly() as orderly, orderly.work:
        Broken()
    Broken()
    assert list(map(str, told)) == ["of somebody else"] * 2
