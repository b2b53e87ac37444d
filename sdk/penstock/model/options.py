"""What a step or a pipeline may be told besides its arguments."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from penstock.errors import BadStep, UnknownOption, did_you_mean, listed
from penstock.lazy import lazy
from penstock.model import durations, plain
from penstock.model.controls import Controls
from penstock.model.names import check_name
from penstock.model.plain import is_number
from penstock.model.resources import Resources
from penstock.model.retry import Retry

if TYPE_CHECKING:
    import datetime
else:
    datetime = lazy("datetime")  # whoever gives a span of time has it

Hook = Callable[..., object]
"""What is called when something has happened."""

HOOKS: Final = ("on_start", "on_success", "on_failure")

PART: Final = ("from_step", "to_step", "only")
"""Options that leave steps out."""

FOREIGN: Final = {
    "enable_cache": "cache=True or cache=False",
    "cache_policy": "cache=, cache_for=, version= or cache_env=",
    "cache_expiration": "cache_for=timedelta(days=1)",
    "cache_expires": "cache_for=timedelta(days=1)",
    "cache_ttl": "cache_for=timedelta(days=1)",
    "refresh_cache": "refresh=True",
    "overwrite": "refresh=True",
    "persist_result": "nothing: every output is stored",
    "max_retries": "retries=3",
    "retry": "retries=3",
    "retry_policy": "retries=Retry(times=3, delay=10)",
    "retry_delay_seconds": "retries=Retry(times=3, delay=10)",
    "minutes_between_retries": "retries=Retry(times=3, delay=120)",
    "timeout_seconds": "timeout=600",
    "task_run_name": "name='…'",
    "display_name": "name='…'",
    "experiment_tracker": "nothing yet: no experiment tracker ships",
    "environment": "secrets=['NAME'] or cache_env=['NAME']",
    "requests": "resources=Resources(cpu=2, memory='4Gi')",
    "limits": "resources=Resources(cpu=2, memory='4Gi')",
    "operator": "step_operator='name'",
    "on_failure_hook": "on_failure=function",
    "failure_hook": "on_failure=function",
    "success_hook": "on_success=function",
    "output_materializers": "@materializer(Type) on a Materializer class",
    "cache_version": "version='2'",
    "cache_key_fn": "version='2'",
    "config_path": "config='prod.yaml'",
}
"""Options of other tools, and how the same is said here."""


def called_here(name: str, known: Iterable[str]) -> str | None:
    """The hint for an option of another tool: which of the known ones it is, or nothing."""
    own = [key for key in known if f"{key}=" in FOREIGN.get(name, "")]
    return f"Here that is {listed(own)}." if own else None


_VARIABLE: Final = re.compile(r"[^\s=\0]+")
"""What can be the name of an environment variable: on some systems also `ProgramFiles(x86)`."""

_NEVER_RUN: Final = 0x20 | 0x80 | 0x200
"""Flags of code that does nothing when it is called: generators, `async def`, and both."""

_CODE: Final = {"plain": False}
"""Marks an option that is code: it stays in the process that was given it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What steps and pipelines have in common."""

    name: str | None = None
    """Its name in graphs, records and on screen; by default the function's."""
    cache: bool | None = None
    """False: never take a result from the cache, and leave none there. Off anywhere (step,
    pipeline, run) is off."""
    cache_for: datetime.timedelta | None = None
    """How long a result can be taken from the cache, from when its step began. Of what a step, a
    pipeline and a run say, the shortest counts. An older result stays until there is a new one."""
    refresh: bool = False
    """True: take nothing from the cache, and put the new result in the place of the old one, once
    it is there. Anywhere (step, pipeline, run) is enough."""
    settings: Mapping[str, Mapping[str, Any]] | None = None
    """Plain data under a flavor's name; checked by that flavor when it is active."""
    on_start: Hook | None = field(default=None, metadata=_CODE)
    """Called before the first attempt at a step (with its record so far), or the first step of a
    run (with the run). What a hook raises is reported and changes nothing."""
    on_success: Hook | None = field(default=None, metadata=_CODE)
    """Called when a step was computed, or a run is completed. Not for what the cache had."""
    on_failure: Hook | None = field(default=None, metadata=_CODE)
    """Called when the last attempt has failed, or the run."""

    def changed(self, what: str, options: Mapping[str, Any]) -> Self:
        """These options with some replaced. Raises `UnknownOption` or `BadStep`."""
        known = [item.name for item in fields(self) if "ours" not in item.metadata]
        for name in options:
            if name not in known:
                spelling = FOREIGN.get(name)
                raise UnknownOption(
                    f"There is no {what} option {name!r}. Options: {', '.join(known)}.",
                    hint=f"Here that is {spelling}." if spelling else did_you_mean(name, known),
                )
        return replace(self, **options).checked(what)

    def checked(self, what: str) -> Self:
        """These options if each can be meant. Raises `BadStep`."""
        if self.name is not None:
            check_name(self.name, what)
        _check(what, "cache", self.cache, self.cache is None or type(self.cache) is bool,
               "True or False")  # fmt: skip
        _check(what, "refresh", self.refresh, type(self.refresh) is bool, "True or False")
        _check(what, "cache_for", self.cache_for, self.cache_for is None or _lasts(self.cache_for),
               "a positive timedelta, for example timedelta(hours=12)")  # fmt: skip
        for option in HOOKS:
            value = getattr(self, option)
            _check(
                what,
                option,
                value,
                value is None or callable(value),
                f"a function of the {_told(what)}",
            )
            _check_runs(what, option, value)
        if self.settings is not None:
            _check_settings(what, self.settings)
        return self

    @property
    def controls(self) -> Controls:
        """What may be taken from the cache."""
        span = self.cache_for
        return Controls(
            self.cache is not False, self.refresh, None if span is None else span.total_seconds()
        )

    def changes(self, controls: Controls) -> dict[str, Any]:
        """The options that are others once these controls count as well."""
        own = self.controls
        both = own.joined(controls)
        found: dict[str, Any] = {}
        if both.cache is not own.cache:
            found["cache"] = both.cache
        if both.refresh is not own.refresh:
            found["refresh"] = both.refresh
        if both.cache_for is not None and both.cache_for != own.cache_for:
            found["cache_for"] = datetime.timedelta(seconds=both.cache_for)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOptions(Options):
    """What a step may be told."""

    retries: int | Retry = 0
    """How often a failed step is tried again: a number, or a `Retry` with waits and errors."""
    timeout: float | None = None
    """Seconds after which an attempt is stopped."""
    resources: Resources | None = None
    step_operator: str | None = None
    """Name of the step operator of the active stack that executes this step."""
    secrets: Sequence[str] = ()
    """Environment variables that must be there, or in the stack's `secrets`, before anything runs.
    Their values are masked in logs and records."""
    cache_env: Sequence[str] = ()
    """Environment variables whose values belong to the cache key."""
    version: str | None = None
    """Belongs to the cache key: a new one runs the step again."""

    def checked(self, what: str) -> Self:
        Options.checked(self, what)
        count = type(self.retries) is int and self.retries >= 0
        _check(what, "retries", self.retries, count or isinstance(self.retries, Retry),
               "a whole number, 0 or more, or Retry(times=3, delay=1)")  # fmt: skip
        _check(what, "timeout", self.timeout,
               self.timeout is None or (is_number(self.timeout) and 0 < self.timeout < math.inf),
               "a positive number of seconds")  # fmt: skip
        _check(what, "resources", self.resources, isinstance(self.resources, Resources | None),
               "Resources(cpu=…, memory=…, gpu=…)")  # fmt: skip
        for option in ("step_operator", "version"):
            value = getattr(self, option)
            _check(what, option, value, isinstance(value, str | None), "a str")
        for option in ("secrets", "cache_env"):
            value = getattr(self, option)
            fits = isinstance(value, list | tuple) and all(
                type(item) is str and _VARIABLE.fullmatch(item) for item in value
            )
            _check(what, option, value, fits, "a list of names of environment variables")
        return self

    @property
    def retry(self) -> Retry:
        """`retries` in full."""
        return self.retries if isinstance(self.retries, Retry) else Retry(times=self.retries)

    def to_text(self) -> str:
        """What differs from the defaults, as plain data; hooks stay behind."""
        said = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if not item.metadata and getattr(self, item.name) != item.default
        }
        if isinstance(said.get("retries"), Retry):
            said["retries"] = said["retries"].to_data()
        if isinstance(said.get("resources"), Resources):
            said["resources"] = asdict(said["resources"])
        if "cache_for" in said:
            said["cache_for"] = durations.written(said["cache_for"].total_seconds())
        if "settings" in said:
            said["settings"] = {name: dict(values) for name, values in said["settings"].items()}
        return plain.encode(said)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `to_text` wrote."""
        said = plain.decode(text)
        if "resources" in said:
            said["resources"] = Resources(**said["resources"])
        if isinstance(said.get("retries"), dict):
            said["retries"] = Retry(**said["retries"])
        if "cache_for" in said:
            length = durations.seconds(said["cache_for"]) or 0.0
            said["cache_for"] = datetime.timedelta(seconds=length)
        return cls(**said)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineOptions(Options):
    """What a pipeline may be told; `stack` and below make sense for one run."""

    stack: Any = None
    """Name of a stack, or a `Stack`; None is the active one."""
    wait: bool = True
    """False: `run()` comes back at once, and the run goes on; `run.wait()` waits for its end."""
    resume: Any = None
    """A run, its id or "last", to go on with: what it has is taken from it, also of steps whose
    cache is off, with the same parameters. "last" is this user's newest run of the pipeline."""
    from_step: str | None = None
    """Run this step and what depends on it; what they need besides is taken from earlier runs."""
    to_step: str | None = None
    """Run this step and what it needs."""
    only: str | None = None
    """Run this step alone; what it needs is taken from earlier runs."""
    config: Any = None
    """Path of a file with parameters, a stack and options of steps. Arguments of `run()` and a
    stack that was asked for win over it; it wins over the stack's options and the code's."""
    progress: bool = True
    """False: say nothing on stderr."""
    chosen_by: str = field(default="given to on()", metadata={"ours": True})
    """Who chose the stack, in words."""
    steps: Any = field(default=None, metadata={"ours": True})
    """What the file says of steps, to be applied to the graph."""

    def checked(self, what: str) -> Self:
        Options.checked(self, what)
        named = isinstance(self.stack, str) or hasattr(self.stack, "artifact_store")
        _check(what, "stack", self.stack, self.stack is None or named, "a name or a Stack")
        for option in ("wait", "progress"):
            value = getattr(self, option)
            _check(what, option, value, type(value) is bool, "True or False")
        given = isinstance(self.resume, str) or hasattr(self.resume, "record")
        _check(what, "resume", self.resume, self.resume is None or given, "'last', a run or its id")
        for option in PART:
            value = getattr(self, option)
            _check(what, option, value, isinstance(value, str | None), "the name of a step")
        path = self.config is None or isinstance(self.config, str | os.PathLike)
        _check(what, "config", self.config, path, "the path of a file")
        return self

    @property
    def is_part(self) -> bool:
        """Whether steps are left out."""
        return any(getattr(self, option) is not None for option in PART)


def _told(what: str) -> str:
    return "run" if what == "pipeline" else "step's record"


def _check(what: str, option: str, value: object, fits: bool, wanted: str) -> None:
    if not fits:
        raise BadStep(f"The {what} option {option}={value!r} does not fit: {wanted} is needed.")


def _lasts(span: object) -> bool:
    return isinstance(span, datetime.timedelta) and 0 < span.total_seconds() <= durations.LONGEST


def _check_runs(what: str, option: str, hook: Any) -> None:
    """Nobody awaits a hook: what it would have done would be left out without a word."""
    while isinstance(hook, partial):
        hook = hook.func
    code = getattr(hook, "__code__", None) or getattr(type(hook).__call__, "__code__", None)
    if code is not None and code.co_flags & _NEVER_RUN:
        kind = "async" if code.co_flags & ~0x20 & _NEVER_RUN else "a generator"
        name = getattr(hook, "__name__", None) or repr(hook)
        raise BadStep(
            f"The {what} option {option}={name} is {kind} "
            f"({code.co_filename}:{code.co_firstlineno}): nothing would run when it is called.",
            hint="Write a plain function: def, without await and yield.",
        )


def _check_settings(what: str, settings: object) -> None:
    fits = isinstance(settings, Mapping) and all(
        isinstance(flavor, str) and isinstance(values, Mapping)
        for flavor, values in settings.items()
    )
    _check(what, "settings", settings, fits, "{'flavor': {'setting': value}}")
    try:
        plain.encode({flavor: dict(values) for flavor, values in settings.items()})  # type: ignore[attr-defined]
    except plain.NotPlain as error:
        raise BadStep(
            f"The {what} option settings holds what is not plain data: {error}."
        ) from None
