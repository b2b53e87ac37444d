"""What C code and other programs of a step say right before its process crashes."""

import signal
from collections.abc import Callable
from typing import Any

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
def test_the_last_words_before_a_crash_are_logged_and_seen_once(
    work: Any, stack: Stacks, ended: Ended, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    run = ended(stack(), (getattr(work, name),))
    shown = capfd.readouterr()

    assert run[name].logs().count(f"{LAST[name]}\n") == 1
    assert (shown.err if name == "abort_in_c" else shown.out).count(f"{LAST[name]}\n") == 1


def test_the_last_words_come_before_the_traceback(work: Any, stack: Stacks, ended: Ended) -> None:
    log = ended(stack(), (work.abort_in_c,))["abort_in_c"].logs()

    words = [LAST["abort_in_c"], "Fatal Python error: Aborted", "work.py", "LostStep:"]
    assert sorted(words, key=log.index) == words


def test_many_last_lines_are_all_seen_and_the_last_ones_logged(
    work: Any, stack: Stacks, ended: Ended, capfd: pytest.CaptureFixture[str]
) -> None:
    run = ended(stack(), (work.much_before_abort, 20_000))
    shown = capfd.readouterr().err.splitlines()
    logged = run["much_before_abort"].logs().splitlines()

    every = [f"line {number}" for number in range(20_000)]
    assert [line for line in shown if line in set(every)][: len(every)] == every
    assert every[-100:] == [line for line in logged if line in set(every[-100:])]


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
