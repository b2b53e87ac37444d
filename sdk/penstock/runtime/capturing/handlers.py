"""Handlers of `logging`: log records reach the log of the step that logs them, once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from penstock.runtime.capturing.proxies import Proxy
from penstock.runtime.capturing.stage import Stage


class Handlers:
    """The handlers of this process, for the length of a run."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._ours = _ToLog(stage)
        self._ours.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        )

    def begin(self) -> None:
        """Those that print print where steps do; one more serves where none of them does."""
        for handler in _printing():
            for proxy in self._stage.proxies.values():
                if handler.stream is proxy.stream:
                    handler.setStream(proxy)
        # Where nothing is configured, a handler of ours would keep `basicConfig` in a step from
        # doing anything, and warnings from reaching stderr, which is wrapped as it is.
        if logging.root.handlers:
            logging.root.addHandler(self._ours)

    def end(self) -> None:
        """As they were; those that a step has left print to the real streams."""
        logging.root.removeHandler(self._ours)
        for handler in _printing():
            if isinstance(proxy := handler.stream, Proxy):
                handler.setStream(proxy.stream)


class _ToLog(logging.Handler):
    """To the step's log, unless another handler prints the record into it anyway."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    def emit(self, record: logging.LogRecord) -> None:
        voice = self._stage.speaker()
        if voice is not None and not any(
            handler.level <= record.levelno and self._is_heard(handler)
            for handler in logging.root.handlers
        ):
            voice.settle()
            voice.log.write(self.format(record) + "\n")

    def _is_heard(self, handler: logging.Handler) -> bool:
        """Whether what it prints comes to us."""
        stream = getattr(handler, "stream", None) or _console(handler)
        if isinstance(stream, Proxy):
            return stream.is_active
        return any(stream is proxy.stream for proxy in self._stage.proxies.values())


def _console(handler: logging.Handler) -> Any:
    """The stream of a handler of rich's."""
    return getattr(getattr(handler, "console", None), "file", None)


def _printing() -> Iterator[logging.StreamHandler[Any]]:
    """All that have a stream, of all loggers."""
    for logger in (logging.root, *logging.Logger.manager.loggerDict.values()):
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler):
                yield handler
