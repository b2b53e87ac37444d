"""`with_options(config="prod.yaml")`: parameters, a stack, the cache and options of steps."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from penstock import Client, Pipeline, pipeline, step
from penstock.api.asked import Asked
from penstock.api.commands import command
from penstock.errors import (
    BadArguments,
    BadConfiguration,
    CannotRun,
    MissingReference,
    UnknownStack,
)
from penstock.model.retry import Retry


class Color(Enum):
    RED = "red"
    BLUE = 2


@dataclass
class Adam:
    beta: float = 0.9
    name: str = "adam"


@dataclass
class Fit:
    lr: float
    epochs: int = 3
    adam: Adam = field(default_factory=Adam)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError("at least one epoch is needed")


class Model(BaseModel):
    depth: Annotated[int, Field(gt=0)] = 3


class Pair(NamedTuple):
    a: int
    b: str = "x"


class Own: ...


@dataclass
class Tree:
    name: str = "leaf"
    left: "Tree | None" = None


@step
def noted(value: object) -> str:
    return str(value)


@step(retries=1, timeout=5)
def checked(value: str) -> str:
    return value


@pipeline(progress=False)
def training(count: int, lr: float = 0.1, name: str = "a") -> str:
    noted(name)
    return checked(noted(f"{count} {lr} {name}"))


@pipeline(progress=False)
def mapping(count: int = 2) -> list[str]:
    return [*checked.map([str(n) for n in range(count)]), checked("last")]


def written(text: str, name: str = "prod.yaml") -> str:
    Path(name).write_text(text)
    return name


def configured(text: str, pipe: Pipeline[..., Any] = training) -> Pipeline[..., Any]:
    return pipe.with_options(config=written(text))


def complaint(text: str, pipe: Pipeline[..., Any] = training) -> str:
    with pytest.raises((BadConfiguration, MissingReference)) as caught:
        configured(text, pipe).graph()
    return str(caught.value)


def taking(hint: Any) -> Pipeline[..., Any]:
    """A pipeline with one parameter, `x`, of this type."""

    def body(x: Any) -> None: ...

    body.__annotations__["x"] = hint
    return pipeline(body)


def asked(pipe: Pipeline[..., Any], *words: str) -> dict[str, Any]:
    """What the pipeline would be called with."""
    said = command(pipe).main(words, prog_name="x", standalone_mode=False)
    assert isinstance(said, Asked)
    return dict(said.arguments)


def read(hint: Any, text: str) -> Any:
    return asked(taking(hint), "--config", written(f"parameters:\n  x: {text}\n"))["x"]


def options(pipe: Pipeline[..., Any], step: str) -> Any:
    return pipe.graph().calls[step].step.options


def test_parameters_that_are_required_may_come_from_the_file_alone() -> None:
    run = configured("parameters: {count: 2, lr: 1}").run()
    assert run.result() == "2 1.0 a"
    assert run.record.parameters == {"count": "2", "lr": "1.0", "name": '"a"'}


def test_the_original_pipeline_knows_nothing_of_the_file() -> None:
    configured("parameters: {count: 2}")
    with pytest.raises(BadArguments):
        training.graph()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("args", "kwargs", "result"),
    [
        ((), {}, "2 0.5 a"),
        ((3,), {}, "3 0.5 a"),
        ((), {"lr": 0.25}, "2 0.25 a"),
        ((3, 0.25, "b"), {}, "3 0.25 b"),
    ],
)
def test_an_argument_wins_over_the_file_and_the_file_over_the_default(
    args: Any, kwargs: Any, result: str
) -> None:
    assert configured("parameters: {count: 2, lr: 0.5}").run(*args, **kwargs).result() == result


def test_a_parameter_that_can_only_be_given_by_position_may_be_in_the_file() -> None:
    @pipeline
    def early(first: int, second: int = 2, /, *, third: int) -> str:
        return noted([first, second, third])

    pipe = configured("parameters: {first: 1, third: 3}", early)
    (call,) = pipe.graph().calls.values()
    assert call.bindings["value"].value == [1, 2, 3]  # type: ignore[union-attr]
    assert asked(pipe, "--second", "5") == {"first": 1, "second": 5, "third": 3}


def test_what_is_given_nowhere_is_said_with_the_file() -> None:
    with pytest.raises(BadArguments) as caught:
        configured("parameters: {lr: 1}").run()
    assert caught.value.message.startswith(
        "training() needs 'count', and prod.yaml does not have it either ("
    )
    assert caught.value.hint == "Give it to run(), or write it there: parameters: {count: …}"


def test_a_misspelt_argument_is_asked_about_first() -> None:
    with pytest.raises(BadArguments, match="missing a required argument: 'count'") as caught:
        configured("parameters: {lr: 1}").run(coutn=1)
    assert caught.value.hint == "Did you mean 'count'?"


def test_an_empty_file_changes_nothing() -> None:
    assert configured("").run(1).result() == "1 0.1 a"


def test_the_path_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/own.yaml").write_text("parameters: {count: 7}")
    monkeypatch.chdir(tmp_path / "sub")
    assert training.with_options(config=Path("own.yaml")).run().result() == "7 0.1 a"


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (int, "3", 3),
        (int, '"3"', 3),
        (int | None, "null", None),
        (float, "1", 1.0),
        (float, "1e-3", 0.001),
        (str, "2025-01-01", "2025-01-01"),
        (str, '"3"', "3"),
        (str, "yes", "yes"),
        (bool, "true", True),
        (bool, "yes", True),
        (Path, "a/b", Path("a/b")),
        (Literal["a", 3], "3", 3),
        (Literal["a", 3], '"3"', 3),
        (Color, "red", Color.RED),
        (Color | None, "2", Color.BLUE),
        (date, "2025-02-03", date(2025, 2, 3)),
        (Decimal, '"0.10"', Decimal("0.10")),
        (list[int], "[1, 2]", [1, 2]),
        (list[int], "'[1, 2]'", [1, 2]),
        (Sequence[str], "[a]", ["a"]),
        (set[int], "[1, 1]", {1}),
        (tuple[int, str], "[1, a]", (1, "a")),
        (tuple[int, ...], "[1, 2]", (1, 2)),
        (tuple, "[1, a]", (1, "a")),
        (dict[str, float], "{a: 1}", {"a": 1.0}),
        (dict[int, str], '{"1": a}', {1: "a"}),
        (int | str, '"3"', "3"),
        (int | list[int], "[3]", [3]),
        (Any, "{a: [1, null, 2025-01-01]}", {"a": [1, None, "2025-01-01"]}),
        (Any, '"3"', "3"),
        (bytes, "word", b"word"),
        (Pair, "[1, a]", Pair(1, "a")),
        (list[Adam], "[{beta: 1}]", [Adam(1.0)]),
        (dict[str, Model], "{a: {depth: 2}}", {"a": Model(depth=2)}),
        (Tree, "{left: {name: b, left: {}}}", Tree(left=Tree("b", Tree()))),
        (Fit, "{lr: 1, adam: {name: sgd}}", Fit(1.0, 3, Adam(0.9, "sgd"))),
        (Annotated[int, "of rows"], "3", 3),
    ],
)
def test_plain_data_becomes_a_value_of_the_annotated_type(hint: Any, text: str, value: Any) -> None:
    found = read(hint, text)
    assert (found, type(found)) == (value, type(value))


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=9)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
KINDS: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(),
    float: FLOATS,
    str: TEXT,
    bool: st.booleans(),
    int | None: st.integers(),
    Literal["a", "b", 3]: st.sampled_from(["a", "b", 3]),
    date: st.dates().map(str),
    list[int]: st.lists(st.integers()),
    list[str]: st.lists(TEXT),
    dict[str, float]: st.dictionaries(TEXT, FLOATS),
    tuple[int, str]: st.tuples(st.integers(), TEXT).map(list),
    list[list[bool]]: st.lists(st.lists(st.booleans())),
    list[Adam]: st.lists(st.fixed_dictionaries({"beta": FLOATS, "name": TEXT})),
}


@given(st.sampled_from(list(KINDS)).flatmap(lambda hint: st.tuples(st.just(hint), KINDS[hint])))
def test_what_flags_can_say_the_file_can_say_as_well(said: tuple[Any, Any]) -> None:
    hint, value = said
    word = value if isinstance(value, str) else json.dumps(value)
    flag = f"--{'' if value else 'no-'}x" if hint is bool else f"--x={word}"
    by_flag = asked(taking(hint), flag)["x"]
    by_file = read(hint, json.dumps(value, ensure_ascii=False))
    assert (by_file, type(by_file)) == (by_flag, type(by_flag))


@given(st.dictionaries(st.sampled_from(["lr", "epochs", "adam.beta", "adam.name"]), st.booleans()))
def test_each_field_may_come_from_a_flag_or_the_file(by_flag: dict[str, bool]) -> None:
    values: dict[str, Any] = {"lr": 0.5, "epochs": 7, "adam.beta": 0.25, "adam.name": "sgd"}
    words = [f"--x.{name}={values[name]}" for name, flag in by_flag.items() if flag]
    inside: dict[str, Any] = {}
    for name in (name for name, flag in by_flag.items() if not flag):
        *outer, last = name.split(".")
        (inside.setdefault(outer[0], {}) if outer else inside)[last] = values[name]

    def fitting(x: Fit = Fit(0.1)) -> None: ...  # noqa: B008

    file = written(json.dumps({"parameters": {"x": inside}}))
    said = asked(pipeline(fitting), *words, "--config", file)
    if by_flag:
        expected = {name: values[name] for name in by_flag}
        adam = Adam(expected.get("adam.beta", 0.9), expected.get("adam.name", "adam"))
        assert said["x"] == Fit(expected.get("lr", 0.1), expected.get("epochs", 3), adam)


def test_a_flag_wins_over_the_file() -> None:
    file = written("parameters: {count: 2, lr: 0.5}")
    assert asked(training, "--count", "3", "--config", file) == {"count": 3, "lr": 0.5}


def test_a_flag_for_a_field_wins_over_a_file_that_says_none() -> None:
    file = written("parameters: {x: null}")
    assert asked(taking(Fit | None), "--x.lr", "1", "--config", file) == {"x": Fit(1.0)}


def test_the_flag_for_a_file_wins_over_the_file_of_the_code() -> None:
    pipe = configured("parameters: {count: 2}")
    file = written("parameters: {count: 3}", "other.yaml")
    assert asked(pipe, "--config", file) == {"count": 3}
    assert asked(pipe) == {"count": 2}


MANY: dict[str, Any] = {
    "count": int, "lr": float, "name": str, "fast": bool, "day": date | None,
    "mode": Literal["a", 3], "color": Color, "sizes": list[int], "weights": dict[str, float],
    "by_day": dict[int, str], "pair": tuple[int, str], "some": set[Any], "fit": Fit, "model": Model,
    "many": list[Fit], "where": Path, "what": Any, "call": Callable[[], int],
    "either": int | list[int], "named": Pair, "own": Own, "price": Decimal, "hosts": Sequence[str],
}  # fmt: skip
"""Names and types of parameters."""


@pytest.fixture(scope="module")
def many() -> Pipeline[..., Any]:
    """A pipeline with all of them, each with a default."""
    scope: dict[str, Any] = {}
    exec(f"def many({', '.join(f'{name}=None' for name in MANY)}): ...", scope)
    scope["many"].__annotations__.update(MANY)
    return pipeline(scope["many"])


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("count: two", 10, "Parameter 'count' must be a whole number; this is text, 'two'."),
        ("count: 2.5", 10, "Parameter 'count' must be a whole number; this is a number, 2.5."),
        ("count: true", 10, "Parameter 'count' must be a whole number; this is true or false, "),
        ("count:", 3, "Parameter 'count' must be a whole number; this is empty."),
        ("count: [1]", 10, "Parameter 'count' must be a whole number; this is a list."),
        ("lr: fast", 7, "Parameter 'lr' must be a number; this is text, 'fast'."),
        ("lr: true", 7, "Parameter 'lr' must be a number; this is true or false, True."),
        ("lr: {a: 1}", 7, "Parameter 'lr' must be a number; this is a mapping."),
        (f"lr: 1{'0' * 400}", 7, "Parameter 'lr' must be a number; this is a number, 10"),
        ("name: 3", 9, "Parameter 'name' must be text; this is a number, 3. Put it in quotes."),
        ("name: true", 9, "Parameter 'name' must be text; this is true or false, True. Put it in"),
        ("name: [a]", 9, "Parameter 'name' must be text; this is a list."),
        ("fast: 1", 9, "Parameter 'fast' must be true or false; this is a number, 1."),
        ("fast: maybe", 9, "Parameter 'fast' must be true or false; this is text, 'maybe'."),
        ("day: 2025-02-33", 8, "Parameter 'day' must be a date; this is text, '2025-02-33'."),
        ("day: 5", 8, "Parameter 'day' must be a date; this is a number, 5."),
        ("mode: b", 9, "Parameter 'mode' must be one of 'a', 3; this is text, 'b'."),
        ("mode: true", 9, "Parameter 'mode' must be one of 'a', 3; this is true or false, True."),
        ("color: green", 10, "Parameter 'color' must be one of 'red', 2; this is text, 'green'."),
        ("sizes: 3", 10, "Parameter 'sizes' must be a list, each item a whole number; this is a "),
        ("sizes: [1, two]", 14, "Parameter 'sizes', item 2 must be a whole number; this is text,"),
        ("sizes: {a: 1}", 10, "Parameter 'sizes' must be a list, each item a whole number; this "),
        ("weights: {a: one}", 16, "Parameter 'weights', key 'a' must be a number; this is text, "),
        ("weights: [1]", 12, "Parameter 'weights' must be a mapping, each value a number; this is"),
        ("by_day: {b: c}", 12, "Parameter 'by_day', key 'b': 'b' is not a valid integer."),
        ("by_day: {5: c}", 12, 'A key must be text. Put it in quotes: "5".'),
        ("pair: [1]", 9, "Parameter 'pair' must have 2 items; this has 1."),
        ("pair: [1, 2]", 13, "Parameter 'pair', item 2 must be text; this is a number, 2. Put it"),
        ("some: [[1]]", 9, "Parameter 'some': a set cannot hold lists or mappings."),
        ("fit: {epochs: 2}", 3, "Parameter 'fit': Fit needs 'lr'."),
        ("fit: {lr: 1, epochs: 0}", 8, "Parameter 'fit': at least one epoch is needed"),
        ("fit: {lr: x}", 13, "Parameter 'fit.lr' must be a number; this is text, 'x'."),
        ("fit: {lr: 1, epoch: 2}", 16, "There is no key 'epoch' here. Did you mean 'epochs'?"),
        ("fit: {lr: 1, adam: {beta: x}}", 29, "Parameter 'fit.adam.beta' must be a number; this"),
        ("fit: 5", 8, "Parameter 'fit' must be a mapping of 'lr', 'epochs', 'adam'; this is a num"),
        ("model: {depth: 0}", 18, "Parameter 'model', field 'depth': Input should be greater than"),
        ("model: {depth: x}", 18, "Parameter 'model.depth' must be a whole number; this is text, "),
        ("model: {deep: 1}", 11, "There is no key 'deep' here. Did you mean 'depth'?"),
        ("many: [{epochs: 1}]", 10, "Parameter 'many', item 1: Fit needs 'lr'."),
        ("many: [{lr: 1, epochs: 0}]", 10, "Parameter 'many', item 1: at least one epoch is ne"),
        ("many: [5]", 10, "Parameter 'many', item 1 must be a mapping of 'lr', 'epochs', 'adam'; "),
        ("many: [{lr: 1, x: 1}]", 18, "There is no key 'x' here. Keys: 'lr', 'epochs', 'adam'."),
        ("many: [{lr: x}]", 15, "Parameter 'many', item 1, field 'lr' must be a number; this is "),
        ("where: 5", 10, "Parameter 'where' must be a path; this is a number, 5."),
        ("call: 5", 9, "Parameter 'call' must be a Callable; this is a number, 5."),
        ("either: x", 11, "Parameter 'either' must be a whole number or a list, each item a whole"),
        ("either: [x]", 11, "Parameter 'either' must be a whole number or a list, each item a wh"),
        ("named: {a: x}", 14, "Parameter 'named', field 'a': Input should be a valid integer"),
        ("named: [1, 2]", 14, "Parameter 'named', item 2: Input should be a valid string."),
        ("own: 5", 8, "Parameter 'own' can be given in code only: it is a Own."),
        ("own: {}", 8, "Parameter 'own' can be given in code only: it is a Own."),
        ("price: a", 10, "Parameter 'price' must be a Decimal; this is text, 'a'."),
        ("hosts: [1]", 11, "Parameter 'hosts', item 1 must be text; this is a number, 1. Put it"),
        ("coutn: 1", 3, "The pipeline has no parameter 'coutn'. Did you mean 'count'?"),
        ("count: ${env:NOPE}", 10, "The environment variable 'NOPE' is not set (${env:NOPE} needs"),
        ("count: ${env:WORD}", 10, "Parameter 'count', ${env:WORD}: 'a word' is not a valid integ"),
        ("what: [1, '${file:no.txt}']", 13, "The file 'no.txt' cannot be read: No such file"),
        ("what: !!set {a}", 9, "The YAML tag tag:yaml.org,2002:set is not allowed: only plain dat"),
        ("what: &a [*a]", 9, "This contains itself, through an alias."),
        ("count: 1\n  count: 2", 3, "The key 'count' is here twice; first at prod.yaml:2:3."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_parameter_is_said_with_its_place(
    text: str, at: int, said: str, many: Pipeline[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", "a word")
    line = 2 + text.count("\n")
    found = complaint(f"parameters:\n  {text}\n", many)
    assert found.startswith(f"prod.yaml:{line}:{at}: {said}")
    assert "\n" not in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("paramters: {}", "1:1: There is no key 'paramters' here. Did you mean 'parameters'?"),
        ("enable_cache: false", "1:1: There is no key 'enable_cache' here. Here that is 'cache'."),
        ("- a", "1:1: This file must be a mapping, {parameters: {…: …}}; this is a list."),
        ("parameters: 5", "1:13: parameters must be a mapping, {…: …}; this is a number, 5."),
        ("stack: 5", "1:8: stack must be a name, which is text; this is a number, 5."),
        ("stack: a b", "1:8: stack: 'a b' cannot be a name. A name is 1 to 128 letters, digits,"),
        ("cache: off", "1:8: cache must be true or false; this is text, 'off'."),
        ("refresh: 1", "1:10: refresh must be true or false; this is a number, 1."),
        ("cache_for: soon", "1:12: cache_for: a number with w, d, h, m or s is needed, for examp"),
        ("cache_for: [1d]", "1:12: cache_for: a number with w, d, h, m or s is needed, for examp"),
        ("cache_for: 0", "1:12: cache_for: a number with w, d, h, m or s is needed, for example "),
        ("steps: [train]", "1:8: steps must be a mapping, {…: …}; this is a list."),
        ("steps: {a: 2}", "1:12: Step 'a' must be a mapping, {retries: 2}; this is a number, 2."),
        ("steps: {a: {retrys: 2}}", "1:13: Step 'a': There is no step option 'retrys'. Did you "),
        ("steps: {a: {retry: 2}}", "1:13: Step 'a': There is no step option 'retry'. Here that"),
        ("steps: {a: {on_failure: f}}", "1:13: Step 'a': There is no step option 'on_failure'."),
        ("steps: {a: {name: b}}", "1:13: Step 'a': There is no step option 'name'."),
        ("steps: {a: {retries: -1}}", "1:22: Step 'a': The step option retries=-1 does not fit"),
        ("steps: {a: {retries: {time: 1}}}", "1:23: Step 'a': There is no key of retries 'time'"),
        ("steps: {a: {retries: {delay: -1}}}", "1:30: Step 'a': Retry(delay=-1) does not fit: "),
        ("steps: {a: {retries: {on: [OSErr]}}}", "1:27: Step 'a': Retry(on=['OSErr']): Python "),
        ("steps: {a: {timeout: soon}}", "1:22: Step 'a': The step option timeout='soon' does no"),
        ("steps: {a: {resources: {gpus: 1}}}", "1:25: Step 'a': There is no resource 'gpus'. Di"),
        ("steps: {a: {resources: {cpu: -1}}}", "1:30: Step 'a': Resources(cpu=-1): a positive "),
        ("steps: {a: {resources: {memory: 4GB}}}", "1:33: Step 'a': Resources(memory='4GB'): a "),
        ("steps: {a: {settings: [x]}}", "1:23: Step 'a': The step option settings=['x'] does no"),
        ("steps: {a: {cache: maybe}}", "1:20: Step 'a': The step option cache='maybe' does not "),
        ("steps: {a: {cache_for: soon}}", "1:24: Step 'a': The step option cache_for='soon' d"),
        ("steps: {a: {cache_for: -1}}", "1:24: Step 'a': The step option cache_for=-1 does not"),
        ("steps: {a: {cache_for: [1d]}}", "1:24: Step 'a': The step option cache_for=['1d'] do"),
        ("steps: {a: {refresh: maybe}}", "1:22: Step 'a': The step option refresh='maybe' does"),
        ("steps: {a: {resources: {cpu: !!set {a}}}}", "1:30: The YAML tag tag:yaml.org,2002:set"),
        ("stack: a\n\tcache: true", "2:1: This line is indented with a tab; YAML takes spaces o"),
        ("stack: 'a", "1:8: This is not YAML: this quote is not closed."),
        ("stack: a\n---\n", "2:1: This is not YAML: a second document begins here."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_rest_is_said_with_its_place(text: str, said: str) -> None:
    assert complaint(text).startswith(f"prod.yaml:{said}")


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    text = "cach: true\nparameters:\n  coutn: 1\n  lr: x\nsteps: {noted: {retries: x}}\n"
    assert [line.split(": ")[0].strip() for line in complaint(text).splitlines()] == [
        "prod.yaml has 4 problems:", "prod.yaml:1:1", "prod.yaml:3:3", "prod.yaml:4:7",
        "prod.yaml:5:26",
    ]  # fmt: skip


def test_missing_references_alone_are_that_error() -> None:
    with pytest.raises(MissingReference):
        configured("parameters: {count: '${env:NOPE}'}").graph()


def test_references_are_read_as_if_they_were_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZES", "[1, 2]")
    Path("rate.txt").write_text("0.5\n")
    assert read(list[int], "${env:SIZES}") == [1, 2]
    assert read(float, "${file:rate.txt}") == 0.5
    assert read(str, "a-${env:SIZES}") == "a-[1, 2]"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prd.yaml", ("prd.yaml:1:1: This file cannot be read: No such file or directory. Did you "
                     "mean 'prod.yaml'?")),
        ("sub", "sub:1:1: This must be a file, and is a folder."),
    ],
)  # fmt: skip
def test_a_file_that_is_not_there_is_a_configuration_error(name: str, said: str) -> None:
    written("")
    Path("sub").mkdir()
    with pytest.raises(BadConfiguration) as caught:
        training.with_options(config=name).run()
    assert str(caught.value) == said


def test_a_step_that_the_pipeline_does_not_have_is_an_error() -> None:
    text = "parameters: {count: 1}\nsteps:\n  chekced: {retries: 2}\n  noted-3: {retries: 2}\n"
    assert complaint(text) == (
        "prod.yaml has 2 problems:\n"
        "  prod.yaml:3:3: Pipeline 'training' has no step 'chekced'. Its steps: 'noted', "
        "'noted-2', 'checked'. Did you mean 'checked'?\n"
        "  prod.yaml:4:3: Pipeline 'training' has no step 'noted-3'. Its steps: 'noted', "
        "'noted-2', 'checked'. Did you mean 'noted-2'?"
    )
    with pytest.raises(BadConfiguration):
        configured(text).run()
    assert Client().runs() == []


def test_the_name_of_a_step_means_all_its_calls_and_an_id_wins_over_it() -> None:
    text = "steps: {checked: {retries: 5, timeout: 9}, checked.1: {retries: 6}}"
    pipe = configured(text, mapping)
    found = {id: call.step.options for id, call in pipe.graph().calls.items()}
    assert {id: each.retries for id, each in found.items()} == {
        "checked.0": 5, "checked.1": 6, "checked-2": 5
    }  # fmt: skip
    assert {each.timeout for each in found.values()} == {9}


def test_a_map_that_is_the_second_use_of_a_step_has_a_name_of_its_own() -> None:
    @pipeline
    def later() -> object:
        return [checked("first"), *checked.map(["a", "b"])]

    found = configured("steps: {checked-2: {retries: 7}}", later).graph().calls
    assert [call.step.options.retries for call in found.values()] == [1, 7, 7]


def test_every_plain_option_of_a_step_can_be_told() -> None:
    text = """
parameters: {count: 1}
steps:
  checked:
    resources: {cpu: 2, memory: 4Gi, gpu: 1}
    settings: {kubeflow: {node_selector: {pool: a100}}}
    retries: {times: 2, delay: 5, factor: 3, longest: 30, jitter: 0.5, on: [OSError]}
    timeout: 60
    step_operator: gpu
    secrets: [DB_URL]
    cache_env: [TZ]
    version: "2"
    cache: false
"""
    found = options(configured(text), "checked")
    assert found.retries == Retry(
        times=2, delay=5, factor=3, longest=30, jitter=0.5, on=("OSError",)
    )
    assert (found.resources.cpu, found.resources.memory, found.resources.gpu) == (2, "4Gi", 1)
    assert found.settings == {"kubeflow": {"node_selector": {"pool": "a100"}}}
    assert (found.timeout, found.step_operator, found.secrets) == (60, "gpu", ["DB_URL"])
    assert (found.cache_env, found.version, found.cache) == (["TZ"], "2", False)


STACKS = """
stacks:
  mine:
    orchestrator: default
    artifact_store: default
    steps: {checked: {retries: 3, timeout: 30, cache: true}}
  other: {orchestrator: default, artifact_store: default}
"""


def test_the_file_wins_over_the_options_of_the_stack_and_these_over_the_code() -> None:
    Path("penstock.yaml").write_text(STACKS)
    text = "parameters: {count: 1}\nstack: mine\nsteps: {checked: {retries: 4}}"
    run = configured(text).run()
    plan = json.loads(run._plan)
    told = {name.partition(":")[2]: json.loads(text) for name, text in plan["steps"]}
    assert told["checked"] == {"retries": 4, "timeout": 30, "cache": True}


@pytest.mark.parametrize(
    ("code", "variable", "stack", "origin"),
    [
        (None, None, "mine", "prod.yaml:1:8"),
        (None, "other", "mine", "prod.yaml:1:8"),
        ("other", None, "other", "given to on()"),
        ("other", "mine", "other", "given to on()"),
    ],
)
def test_who_chooses_the_stack(
    code: str | None, variable: str | None, stack: str, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("penstock.yaml").write_text(STACKS)
    if variable:
        monkeypatch.setenv("PENSTOCK_STACK", variable)
    pipe = configured("stack: mine")
    run = (pipe.on(code) if code else pipe).run(1)
    assert (run.record.stack, run.record.stack_origin) == (stack, origin)


def test_a_stack_that_is_not_there_is_said_with_its_place() -> None:
    with pytest.raises(UnknownStack, match=r"There is no stack 'nope' \(prod.yaml:1:8\)"):
        configured("stack: nope").run(1)


@pytest.mark.parametrize(
    ("file", "pipe", "status"),
    [
        ("", training, "cached"),
        ("cache: true", training, "cached"),
        ("cache: false", training, "completed"),
        ("steps: {noted: {cache: false}}", training, "completed"),
        ("refresh: true", training, "completed"),
        ("refresh: false", training, "cached"),
        ("refresh: false", training.with_options(refresh=True), "completed"),
        ("steps: {noted: {refresh: true}}", training, "completed"),
        ("cache_for: 1d", training, "cached"),
        ("cache_for: 0.000001s", training, "completed"),
        ("cache_for: 1e-6", training, "completed"),
        ("steps: {noted: {cache_for: 0.000001s}}", training, "completed"),
        ("cache: true", training.with_options(cache=False), "completed"),
    ],
)
def test_off_anywhere_is_off(file: str, pipe: Any, status: str) -> None:
    training.run(1)
    assert configured(file, pipe).run(1)["noted"].status == status


def test_a_step_that_the_code_keeps_out_of_the_cache_stays_out() -> None:
    @pipeline
    def fresh() -> str:
        return checked.with_options(cache=False)("a")

    found = configured("steps: {checked: {cache: true}}", fresh)
    assert options(found, "checked").cache is False


def cannot(text: str) -> str:
    """Why `training` cannot run with this file, the line of the step in place of its number."""
    with pytest.raises(CannotRun) as caught:
        configured(text).run(1)
    line = training.graph(1).calls["checked"].where
    return str(caught.value).replace(line, "LINE")


def test_who_asks_for_a_step_operator_that_is_not_there_is_said() -> None:
    said = cannot("steps:\n  checked: {step_operator: nope}\n")
    assert said.endswith(
        "\n  step checked (LINE; prod.yaml:2:3) asks for the step operator 'nope'; "
        "the stack has none"
    )


def test_who_asks_for_more_than_there_is_is_said_and_where_to_ask_for_less() -> None:
    said = cannot("steps: {checked: {resources: {gpu: 1000}}}")
    assert "\n  step checked (LINE; prod.yaml:1:9) asks for 1000 gpus; " in said
    assert said.endswith("}}} in the configuration of the run")


def test_who_asks_for_a_secret_that_is_not_there_is_said() -> None:
    said = cannot("steps:\n  checked: {secrets: [ZZZ]}\n")
    assert "\n  step checked (LINE; prod.yaml:2:3) needs the secret 'ZZZ': " in said


def test_every_name_by_which_the_file_knows_a_step_is_said() -> None:
    text = "steps:\n  noted: {timeout: 5}\n  noted-2: {step_operator: nope}\n"
    said = cannot(text)
    assert "step noted-2 (" in said
    assert "; prod.yaml:2:3; prod.yaml:3:3) asks for the step operator 'nope'" in said


def test_a_step_of_which_the_file_says_nothing_is_where_it_was() -> None:
    found = configured("steps: {noted: {timeout: 5}}").graph(1).calls
    assert found["checked"].where == training.graph(1).calls["checked"].where
    assert found["noted"].line == training.graph(1).calls["noted"].where


def test_secrets_that_the_file_asks_for_are_checked_before_anything_runs() -> None:
    with pytest.raises(Exception, match="NO_SUCH_SECRET"):
        configured("steps: {checked: {secrets: [NO_SUCH_SECRET]}}").run(1)
    assert Client().runs() == []


def test_a_run_with_plain_values_imports_no_pydantic_and_no_click(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(
        "import sys\nfrom penstock import pipeline\n@pipeline(config='c.yaml')\n"
        "def flow(n: int, x: float, s: str, many: list[int]) -> None: ...\n"
        "if __name__ == '__main__':\n    flow.graph()\n"
        "    print([name for name in ('pydantic', 'click') if name in sys.modules])\n"
    )
    written("parameters: {n: 1, x: 2, s: a, many: [1]}\nsteps:", "c.yaml")
    done = subprocess.run(
        [sys.executable, "flow.py"], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"
