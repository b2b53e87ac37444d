"""Retries: how often a failed step is tried again, after which wait, and for which errors."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from penstock.errors import BadStep, did_you_mean, listed
from penstock.model.names import reference
from penstock.model.plain import is_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When to try a failed step again. `retries=3` is `Retry(times=3)`.

    The waits grow: `delay`, then `factor` times as long, and so on up to `longest`, each longer or
    shorter by chance, so that many steps that failed together do not come back together.
    """

    times: int = 3
    """Attempts after the first."""
    delay: float = 1.0
    """Seconds before the second attempt; 0 for none."""
    factor: float = 2.0
    """By how much each wait is longer than the one before."""
    longest: float = 60.0
    """Seconds beyond which waits grow no more."""
    jitter: float = 0.25
    """Share of a wait that chance adds or takes away, 0 to 1."""
    on: Sequence[type[BaseException] | str] = ()
    """Errors worth another attempt, by class or name (`OSError`, `requests.exceptions:Timeout`),
    with their subclasses; by default every one. Kept as names."""

    def __post_init__(self) -> None:
        for option, fits, wanted in (
            ("times", type(self.times) is int and self.times >= 0, "a whole number, 0 or more"),
            ("delay", is_number(self.delay) and self.delay >= 0, "seconds, 0 or more"),
            ("factor", is_number(self.factor) and self.factor >= 1, "a number, 1 or more"),
            ("longest", is_number(self.longest) and self.longest >= 0, "seconds, 0 or more"),
            ("jitter", is_number(self.jitter) and 0 <= self.jitter <= 1, "a number from 0 to 1"),
        ):
            if not fits:
                value = getattr(self, option)
                raise BadStep(f"Retry({option}={value!r}) does not fit: {wanted} is needed.")
        object.__setattr__(self, "on", tuple(map(_name, _each(self.on))))

    def covers(self, error: BaseException) -> bool:
        """Whether this error is worth another attempt."""
        kinds = [kind for kind in type(error).__mro__ if issubclass(kind, BaseException)]
        return not self.on or any(_name(kind) in self.on for kind in kinds)

    def wait(self, attempt: int) -> float:
        """Seconds to wait after this attempt has failed; the first is 1."""
        import random  # slow to import, and only for a wait

        try:
            usual = self.delay * self.factor ** (attempt - 1)
        except OverflowError:  # a power beyond any float
            usual = self.longest if self.delay else 0.0
        return min(usual, self.longest) * (1 + self.jitter * random.uniform(-1, 1))

    def to_data(self) -> dict[str, Any]:
        """Plain data, as a file would hold it."""
        return {**asdict(self), "on": list(self.on)}


def _each(given: Any) -> Sequence[Any]:
    """A class alone is as good as a list of one."""
    return given if isinstance(given, list | tuple) else (given,)


def _name(kind: Any) -> str:
    """`OSError` for a built-in error, `module:qualname` for any other."""
    if isinstance(kind, str):
        return _checked(kind)
    if isinstance(kind, type) and issubclass(kind, BaseException):
        return kind.__qualname__ if kind.__module__ == "builtins" else reference(kind)
    raise BadStep(
        f"Retry(on={kind!r}) does not fit: classes of errors are needed.",
        hint="For example on=(OSError, TimeoutError).",
    )


def _checked(name: str) -> str:
    """A name that can be meant: of a built-in error, or with the module that has it."""
    found = getattr(builtins, name, None)
    if ":" in name:
        return name
    if isinstance(found, type) and issubclass(found, BaseException):
        return found.__qualname__  # `IOError` is `OSError`
    known = [
        key for key, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    ]  # fmt: skip
    near = did_you_mean(name, known)
    raise BadStep(
        f"Retry(on=[{name!r}]): Python has no error of this name."
        + ("" if near else f" Among its own are {listed(['OSError', 'TimeoutError'])}."),
        hint=near
        or "For other errors write 'module:Name', for example 'requests.exceptions:Timeout'.",
    )
