"""What C code and other programs of a step say right before its process crashes."""

import signal
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from penstock import Stack
from penstock.runtime.capturing import testament

Ended = Callable[..., Any]
Stacks = Callable[..., Stack]

LAST = {
    "abort_in_c": "terminate called after throwing 'std::bad_alloc'",
    "killed_after_another_program": "said by echo",
    "leave_after_c": "said by C",
}


@pytest.mark.parametrize("name", LAST)
def test_the_last_words_before_a_crash_are_logged_and_seen(
    work: Any, stack: Stacks, ended: Ended, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    run = ended(stack(), (getattr(work, name),))
    shown = capfd.readouterr()

    assert f"{LAST[name]}\n" in run[name].logs()
    assert f"{LAST[name]}\n" in (shown.err if name == "abort_in_c" else shown.out)


def test_the_last_words_come_before_the_traceback(work: Any, stack: Stacks, ended: Ended) -> None:
    log = ended(stack(), (work.abort_in_c,))["abort_in_c"].logs()

    words = [LAST["abort_in_c"], "Fatal Python error: Aborted", "work.py", "LostStep:"]
    assert sorted(words, key=log.index) == words


def test_many_last_lines_are_all_seen_and_the_last_ones_logged(
    work: Any, stack: Stacks, ended: Ended, capfd: pytest.CaptureFixture[str]
) -> None:
    run = ended(stack(), (work.much_before_abort, 20_000))
    every = "".join(f"line {number}\n" for number in range(20_000))
    last = "".join(f"line {number}\n" for number in range(19_900, 20_000))

    assert every in capfd.readouterr().err
    assert last in run["much_before_abort"].logs()


def test_the_last_words_show_no_secret(
    work: Any,
    stack: Stacks,
    ended: Ended,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN", "hidden-words")
    run = ended(stack(), (work.secret_before_abort,))
    said = [run["secret_before_abort"].logs(), "".join(capfd.readouterr())]

    for text in said:
        assert "*** is it\n" in text
        assert "hidden-words" not in text


def test_what_c_says_in_a_sound_step_is_logged_and_seen_once(
    work: Any, stack: Stacks, ended: Ended, capfd: pytest.CaptureFixture[str]
) -> None:
    run = ended(stack(), (work.c_twice,))
    shown = capfd.readouterr()

    assert run["c_twice"].record.usable
    said = sorted(["first by C", "and by echo", "then by C", "and by echo"])
    assert sorted(run["c_twice"].logs().splitlines()) == said
    assert shown.out == "first by C\nthen by C\n"
    assert shown.err.count("and by echo\n") == 2


def test_without_files_in_memory_a_crash_is_told_as_ever(
    work: Any, stack: Stacks, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testament, "HAS_MEMORY", False)
    log = ended(stack(), (work.abort_in_c,))["abort_in_c"].logs()

    assert "Fatal Python error: Aborted" in log
    assert f"LostStep: Its process was killed by {signal.SIGABRT.name}." in log


def test_no_file_stays_open_for_a_step_that_has_ended(
    work: Any, stack: Stacks, ended: Ended
) -> None:
    ended(stack(), (work.fine, 1))  # what is opened once, for all runs
    before = psutil.Process().num_fds()
    ended(stack(), (work.fine, 2), (work.leave_after_c,))

    assert psutil.Process().num_fds() == before
