"""A process that is asked about before it changes a file, and can be killed instead."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from changing_calls import Change, ask, change
from children import forked

Answer = Literal["go on", "die", "die halfway"] | int
"""What becomes of whoever asks; a number is the error that its system call fails with."""

_RECEIVE: Final = 0xC0502100
_SEND: Final = 0xC0182101
_CONTINUE: Final = 1


def supervised(work: Callable[[], object], decide: Callable[[Change], Answer]) -> int:
    """Do `work` in a child that asks before each change of a file. Returns its exit status, as
    `os.waitpid` gives it. The answer is for it and all processes that it has started."""
    ours, theirs = socket.socketpair()

    def asking() -> None:
        os.setpgid(0, 0)
        ours.close()
        listener = ask()
        socket.send_fds(theirs, [b"x"], [listener])
        os.close(listener)
        theirs.recv(1)
        theirs.close()
        work()

    child = forked(asking)
    theirs.close()
    _, [listener], _, _ = socket.recv_fds(ours, 1, 1)
    with ours:
        ours.send(b"x")
    try:
        _answer(child, listener, decide)
    finally:
        os.close(listener)  # whoever is left cannot change anything any more
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _answer(child: int, listener: int, decide: Callable[[Change], Answer]) -> None:
    """Until the child and all that it has started have ended, or are to."""
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    while waiting.poll()[0][1] & select.POLLIN:
        asked = bytearray(80)
        try:
            fcntl.ioctl(listener, _RECEIVE, asked)
        except (FileNotFoundError, InterruptedError):  # it has died meanwhile
            continue
        id, thread, _, number, _, _, *arguments = struct.unpack("QIIiIQ6Q", asked)
        try:
            about = change(number, thread, tuple(arguments))
        except FileNotFoundError:  # a pipe that is closed, or it has died
            answer: Answer = "go on"
        else:
            answer = decide(about)
        if answer == "die halfway":
            about.do_half()
        if answer in ("die", "die halfway"):
            os.killpg(child, signal.SIGKILL)
            return
        error, flags = (0, _CONTINUE) if answer == "go on" else (-int(answer), 0)
        with suppress(FileNotFoundError):
            fcntl.ioctl(listener, _SEND, struct.pack("QqiI", id, 0, error, flags))
