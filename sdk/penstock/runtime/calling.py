"""Calling a step's function: within its time, and awaiting it if it is async."""

from __future__ import annotations

import contextvars
import threading
from contextlib import AbstractContextManager, nullcontext
from inspect import CO_COROUTINE
from typing import Any

from penstock.model.graph import Call
from penstock.runtime.deadline import Deadline, too_long


def limit(call: Call) -> AbstractContextManager[None]:
    """Around the call of a step's function: its timeout."""
    seconds = call.step.options.timeout
    if seconds is None:
        return nullcontext()
    function: Any = call.step.function
    # Who awaits is stopped by asyncio; this is for who never does.
    return Deadline(call.id, seconds, grace=0.5 * bool(function.__code__.co_flags & CO_COROUTINE))


def awaited(coroutine: Any, call: Call) -> Any:
    """The result of an async step, also inside a running event loop (a notebook has one)."""
    import asyncio  # not needed by steps that are not async, and slow to import

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_in_time(coroutine, call))
    result: list[Any] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            result.append(asyncio.run(_in_time(coroutine, call)))
        except BaseException as error:  # carried over to the thread that waits
            errors.append(error)

    # In this context: what the step prints belongs to the step.
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,), name="penstock-async", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return result[0]


async def _in_time(coroutine: Any, call: Call) -> Any:
    """What the coroutine gives. A loop that waits reaches no bytecode: the loop must stop it."""
    import asyncio  # not needed by steps that are not async, and slow to import

    seconds = call.step.options.timeout
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await coroutine
    except TimeoutError:
        if limit.expired():
            raise too_long(call.id, seconds or 0) from None
        raise
