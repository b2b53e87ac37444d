"""Options: each is taken, kept and checked; other tools' words get ours as the hint."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from penstock import LocalArtifactStore, LocalOrchestrator, Resources, Stack, pipeline, step
from penstock.errors import BadStep, UnknownOption
from penstock.model.options import PipelineOptions, StepOptions
from penstock.model.resources import memory_bytes

STACK = Stack("mine", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore())


def hook(run: object) -> None: ...


@step
def one() -> int:
    return 1


@pipeline(progress=False)
def main() -> int:
    return one()


TAKEN = {
    "name": "other",
    "cache": False,
    "cache_for": timedelta(days=1),
    "refresh": True,
    "settings": {"kubeflow": {"node_selector": {"pool": "a100"}, "tolerations": ["gpu"]}},
    "retries": 3,
    "timeout": 600,
    "resources": Resources(cpu=2, memory="4Gi", gpu=1),
    "step_operator": "gpu",
    "secrets": ["DB_URL"],
    "cache_env": ("TZ",),
    "version": "2",
    "on_start": hook,
    "on_success": hook,
    "on_failure": hook,
}


@pytest.mark.parametrize(("option", "value"), TAKEN.items())
def test_a_step_keeps_each_option(option: str, value: Any) -> None:
    decorated = step(**{option: value})(one.function)

    assert getattr(decorated.options, option) == value
    assert getattr(one.with_options(**{option: value}).options, option) == value
    assert getattr(one.options, option) == getattr(StepOptions(), option)


@pytest.mark.parametrize(
    ("option", "value"),
    {
        "name": "other",
        "cache": True,
        "cache_for": timedelta(days=1),
        "refresh": True,
        "settings": {"kubeflow": {"ttl": 3600}},
        "on_start": hook,
        "on_success": hook,
        "on_failure": hook,
        "stack": "prod",
        "progress": False,
    }.items(),
)
def test_a_pipeline_keeps_each_option(option: str, value: Any) -> None:
    decorated = pipeline(**{option: value})(main.function)

    assert getattr(decorated.options, option) == value
    assert getattr(main.with_options(**{option: value}).options, option) == value
    assert main.options == PipelineOptions(progress=False)


def test_every_option_is_tried_here() -> None:
    assert TAKEN.keys() == set(StepOptions.__dataclass_fields__)


def test_on_is_the_option_stack() -> None:
    assert main.on("prod").options.stack == "prod"
    assert main.on(STACK).options.stack is STACK
    assert main.options.stack is None


def test_options_add_up() -> None:
    both = one.with_options(retries=1).with_options(timeout=2.5)

    assert (both.options.retries, both.options.timeout) == (1, 2.5)
    assert both.after("x").with_options(cache=True).after_calls == ("x",)
    assert one.after_calls == ()


SPAN = "a positive timedelta, for example timedelta(hours=12)"
NAMES = "a list of names of environment variables"


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("cache", 1, "True or False"),
        ("cache", "no", "True or False"),
        ("refresh", 1, "True or False"),
        ("refresh", None, "True or False"),
        ("cache_for", 3600, SPAN),
        ("cache_for", "1d", SPAN),
        ("cache_for", timedelta(), SPAN),
        ("cache_for", timedelta(days=-1), SPAN),
        ("cache_for", timedelta.max, SPAN),
        ("retries", -1, "a whole number, 0 or more, or Retry(times=3, delay=1)"),
        ("retries", True, "a whole number, 0 or more, or Retry(times=3, delay=1)"),
        ("retries", 1.0, "a whole number, 0 or more, or Retry(times=3, delay=1)"),
        ("on_start", "notify", "a function of the step's record"),
        ("timeout", 0, "a positive number of seconds"),
        ("timeout", "600", "a positive number of seconds"),
        ("timeout", float("nan"), "a positive number of seconds"),
        ("timeout", float("inf"), "a positive number of seconds"),
        ("resources", {"cpu": 2}, "Resources(cpu=…, memory=…, gpu=…)"),
        ("step_operator", 3, "a str"),
        ("version", 2, "a str"),
        ("secrets", "DB_URL", NAMES),
        ("secrets", [1], NAMES),
        ("cache_env", {"TZ"}, NAMES),
        ("secrets", ["A B"], NAMES),
        ("secrets", ["A", ""], NAMES),
        ("cache_env", ["A=1"], NAMES),
        ("cache_env", ["A\0"], NAMES),
        ("cache_env", ["A\n"], NAMES),
        ("settings", ["kubeflow"], "{'flavor': {'setting': value}}"),
        ("settings", {"kubeflow": 3}, "{'flavor': {'setting': value}}"),
        ("settings", {3: {}}, "{'flavor': {'setting': value}}"),
    ],
)
def test_a_step_option_that_cannot_be_meant_is_refused(
    option: str, value: Any, wanted: str
) -> None:
    said = f"The step option {option}={value!r} does not fit: {wanted} is needed."

    for declare in (step, one.with_options):
        with pytest.raises(BadStep) as caught:
            declare(**{option: value})
        assert str(caught.value) == said


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("on_failure", "notify", "a function of the run"),
        ("on_start", 1, "a function of the run"),
        ("on_success", [], "a function of the run"),
        ("progress", 0, "True or False"),
        ("cache", 0, "True or False"),
        ("stack", 42, "a name or a Stack"),
    ],
)
def test_a_pipeline_option_that_cannot_be_meant_is_refused(
    option: str, value: Any, wanted: str
) -> None:
    said = f"The pipeline option {option}={value!r} does not fit: {wanted} is needed."

    for declare in (pipeline, main.with_options):
        with pytest.raises(BadStep) as caught:
            declare(**{option: value})
        assert str(caught.value) == said


def test_a_name_that_windows_gives_to_a_variable_is_taken() -> None:
    assert one.with_options(cache_env=["ProgramFiles(x86)"]).options.cache_env


async def awaited(run: object) -> None: ...


def read_out(run: object) -> Iterator[None]:
    yield


async def both(run: object) -> AsyncIterator[None]:
    yield


class Telling:
    async def __call__(self, run: object) -> None: ...

    async def method(self, run: object) -> None: ...


@pytest.mark.parametrize("option", ["on_start", "on_success", "on_failure"])
@pytest.mark.parametrize("declare", [step, one.with_options, pipeline, main.with_options])
def test_a_hook_that_nobody_would_await_is_refused(declare: Any, option: str) -> None:
    with pytest.raises(BadStep) as caught:
        declare(**{option: awaited})
    at = f"{__file__}:{awaited.__code__.co_firstlineno}"
    what = "step" if declare in (step, one.with_options) else "pipeline"
    assert str(caught.value) == (
        f"The {what} option {option}=awaited is async ({at}): nothing would run when it is "
        "called.\nWrite a plain function: def, without await and yield."
    )


@pytest.mark.parametrize(
    ("hook", "kind"),
    [
        (partial(awaited), "async"),
        (partial(partial(awaited)), "async"),
        (Telling(), "async"),
        (Telling().method, "async"),
        (both, "async"),
        (read_out, "a generator"),
    ],
)
def test_whatever_does_nothing_when_it_is_called_is_no_hook(hook: Any, kind: str) -> None:
    with pytest.raises(BadStep, match=f" is {kind} "):
        step(on_failure=hook)


@pytest.mark.parametrize("hook", [print, partial(hook), Telling, [].append, lambda run: None])
def test_whatever_runs_when_it_is_called_is_a_hook(hook: Any) -> None:
    assert one.with_options(on_start=hook).options.on_start is hook


def test_settings_are_plain_data() -> None:
    with pytest.raises(BadStep) as caught:
        step(settings={"kubeflow": {"pool": object()}})

    assert str(caught.value) == (
        "The step option settings holds what is not plain data: object is not plain data."
    )


MEMORY = (
    "a number and a unit are needed, one of k, M, G, T, Ki, Mi, Gi, Ti.\nFor example memory='4Gi'."
)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"cpu": 0}, "Resources(cpu=0): a positive number of cores is needed."),
        ({"cpu": "2"}, "Resources(cpu='2'): a positive number of cores is needed."),
        ({"cpu": True}, "Resources(cpu=True): a positive number of cores is needed."),
        ({"gpu": -1}, "Resources(gpu=-1): a whole number of devices is needed."),
        ({"gpu": 0.5}, "Resources(gpu=0.5): a whole number of devices is needed."),
        ({"memory": "4GB"}, f"Resources(memory='4GB'): {MEMORY}"),
    ],
)
def test_resources_that_cannot_be_meant_are_refused(wanted: Any, said: str) -> None:
    with pytest.raises(BadStep) as caught:
        Resources(**wanted)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("1k", 1000), ("1Ki", 1024), ("0.5Mi", 2**19), ("4Gi", 2**32), ("1T", 10**12)],
)
def test_memory_is_written_as_kubernetes_writes_it(text: str, size: int) -> None:
    assert memory_bytes(text) == size


def test_resources_that_ask_for_nothing_are_false() -> None:
    assert not Resources()
    assert Resources(gpu=0)


STEP_OPTIONS = ", ".join(StepOptions.__dataclass_fields__)
PIPELINE_OPTIONS = ", ".join(
    item.name for item in fields(PipelineOptions) if "ours" not in item.metadata
)


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("enable_cache", "Here that is cache=True or cache=False."),
        ("max_retries", "Here that is retries=3."),
        ("timeout_seconds", "Here that is timeout=600."),
        ("requests", "Here that is resources=Resources(cpu=2, memory='4Gi')."),
        ("output_materializers", "Here that is @materializer(Type) on a Materializer class."),
        ("cache_expiration", "Here that is cache_for=timedelta(days=1)."),
        ("refresh_cache", "Here that is refresh=True."),
        ("persist_result", "Here that is nothing: every output is stored."),
        ("chache", "Did you mean 'cache'?"),
        ("frobnicate", None),
    ],
)
def test_an_unknown_option_is_told_in_our_words(option: str, hint: str | None) -> None:
    for declare, what, known in [
        (step, "step", STEP_OPTIONS),
        (one.with_options, "step", STEP_OPTIONS),
        (pipeline, "pipeline", PIPELINE_OPTIONS),
        (main.with_options, "pipeline", PIPELINE_OPTIONS),
    ]:
        with pytest.raises(UnknownOption) as caught:
            declare(**{option: 1})
        assert caught.value.message == f"There is no {what} option {option!r}. Options: {known}."
        assert caught.value.hint == hint


def test_options_come_back_from_their_text_but_for_hooks() -> None:
    options = StepOptions(**{name: TAKEN[name] for name in TAKEN if not name.startswith("on_")})

    assert StepOptions(**TAKEN).to_text() == options.to_text()
    assert StepOptions.from_text(options.to_text()) == options
    assert StepOptions.from_text(StepOptions().to_text()) == StepOptions()
