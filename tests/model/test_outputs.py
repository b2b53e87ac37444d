"""What a step returns: how many outputs, their names and types, in every way to write it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, TypeVar

import pytest

from penstock import pipeline, step
from penstock.errors import BadStep, RunFailed
from penstock.model.refs import Reference

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")


class Split(NamedTuple):
    train: list[int]
    test: list[int]


class Odd(NamedTuple):
    number: Decimal
    text: Annotated[str, "a note"]


class More(Split):
    pass


class Pair(NamedTuple, Generic[T]):
    left: T
    right: T


def outputs(function: Any) -> list[tuple[str, Any]]:
    return [(output.name, output.hint) for output in step(function).signature.outputs]


def test_a_named_tuple_names_the_outputs() -> None:
    def split() -> Split: ...

    assert outputs(split) == [("train", list[int]), ("test", list[int])]


def test_a_subclass_of_a_named_tuple_has_the_same_outputs() -> None:
    def split() -> More: ...

    assert outputs(split) == [("train", list[int]), ("test", list[int])]


def test_a_named_tuple_with_type_arguments_names_the_outputs() -> None:
    def halves() -> Pair[int]: ...

    assert [name for name, _ in outputs(halves)] == ["left", "right"]


def test_of_a_field_whose_type_is_not_there_nothing_is_known() -> None:
    def odd() -> Odd: ...

    assert outputs(odd) == [("number", Any), ("text", Annotated[str, "a note"])]


def test_annotated_items_of_a_tuple_name_the_outputs() -> None:
    def split() -> tuple[Annotated[int, "train"], Annotated[str, "test"]]: ...

    assert [name for name, _ in outputs(split)] == ["train", "test"]


def test_plain_items_of_a_tuple_are_numbered() -> None:
    def split() -> tuple[int, Annotated[str, "test"], float]: ...

    assert [name for name, _ in outputs(split)] == ["output_0", "test", "output_2"]


def test_a_tuple_of_one_is_one_numbered_output() -> None:
    def one() -> tuple[int]: ...

    assert outputs(one) == [("output_0", int)]


@pytest.mark.parametrize("hint", [tuple, tuple[int, ...], tuple[()], int, list[int], None, Any])
def test_anything_else_is_one_output(hint: Any) -> None:
    def one(): ...  # type: ignore[no-untyped-def]

    one.__annotations__["return"] = hint
    assert outputs(one) == [("output", type(None) if hint is None else hint)]


def test_annotated_names_the_one_output() -> None:
    def one() -> Annotated[int, "count"]: ...

    assert outputs(one) == [("count", Annotated[int, "count"])]


def test_annotated_without_a_str_names_nothing() -> None:
    def one() -> Annotated[int, 3]: ...

    assert [name for name, _ in outputs(one)] == ["output"]


def test_a_tuple_with_a_name_is_one_output() -> None:
    def one() -> Annotated[tuple[int, str], "pair"]: ...

    assert [name for name, _ in outputs(one)] == ["pair"]


def test_a_tuple_with_other_metadata_is_several_outputs() -> None:
    def two() -> Annotated[tuple[int, str], 3]: ...

    assert [name for name, _ in outputs(two)] == ["output_0", "output_1"]


def test_without_an_annotation_there_is_one_output_of_any_type() -> None:
    def one(): ...  # type: ignore[no-untyped-def]

    assert outputs(one) == [("output", Any)]


def test_a_name_imported_for_type_checkers_only_says_nothing() -> None:
    def one() -> Decimal: ...

    assert outputs(one) == [("output", Any)]


def test_one_annotation_that_is_not_there_does_not_hide_the_others() -> None:
    @step
    def mixed(a: Decimal, b: int) -> str: ...

    assert [item.hint for item in mixed.signature.parameters.values()] == [Any, int]


@pytest.mark.parametrize(
    "written", ["tuple[Decimal, int]", "Annotated[Decimal, 'x']", "typing.Tuple[Decimal]"]
)
def test_an_annotation_that_names_outputs_must_be_there(written: str) -> None:
    def two(): ...  # type: ignore[no-untyped-def]

    two.__annotations__["return"] = written
    line = two.__code__.co_firstlineno
    missing = "typing" if written.startswith("typing") else "Decimal"

    with pytest.raises(BadStep) as caught:
        outputs(two)
    assert str(caught.value) == (
        f"The return annotation {written!r} of two cannot be read at run time: "
        f"name {missing!r} is not defined ({__file__}:{line}).\n"
        "Import its names outside `if TYPE_CHECKING:`."
    )


def test_annotations_may_use_names_of_the_enclosing_function() -> None:
    class Local: ...

    def one() -> Local:
        return Local()

    assert outputs(one) == [("output", Local)]


def test_annotations_of_a_function_without_a_module_are_read() -> None:
    def one() -> int: ...

    one.__module__ = "nowhere.to.be.found"
    assert outputs(one) == [("output", int)]


def test_two_outputs_of_one_name_are_refused() -> None:
    def two() -> tuple[Annotated[int, "x"], Annotated[int, "x"]]: ...

    with pytest.raises(BadStep) as caught:
        outputs(two)
    line = two.__code__.co_firstlineno
    assert str(caught.value) == f"two declares two outputs named 'x' ({__file__}:{line})."


def test_a_name_that_cannot_be_one_is_refused() -> None:
    def one() -> Annotated[int, "the number of rows"]: ...

    with pytest.raises(BadStep) as caught:
        outputs(one)
    line = one.__code__.co_firstlineno
    assert str(caught.value) == (
        "one: 'the number of rows' cannot be the name of an output: a name is 1 to 128 letters, "
        "digits, '_', '-' or '.', and begins with a letter, a digit or '_'. "
        f"({__file__}:{line})\n"
        "The str in Annotated[…] is the name; a description goes elsewhere."
    )


def test_inside_a_pipeline_a_call_has_the_shape_of_the_real_result() -> None:
    seen: list[Any] = []

    @step
    def split() -> Split: ...

    @step
    def two() -> tuple[int, str]: ...

    @step
    def one(): ...  # type: ignore[no-untyped-def]

    @pipeline
    def drawn() -> None:
        seen.extend([split(), two(), one()])

    drawn.graph()
    assert type(seen[0]) is Split
    assert [repr(ref) for ref in (*seen[0], *seen[1], seen[2])] == [
        "<output 'train' of step split>",
        "<output 'test' of step split>",
        "<output 'output_0' of step two>",
        "<output 'output_1' of step two>",
        "<output 'output' of step one>",
    ]
    assert type(seen[1]) is tuple
    assert type(seen[2]) is Reference


@step
def parts() -> Split:
    return Split([1, 2], [3])


@step
def pair() -> tuple[Annotated[int, "count"], str]:
    return 3, "three"


@step
def nothing() -> None: ...


@pipeline(progress=False)
def everything() -> dict[str, Any]:
    drawn = parts()
    return {
        "split": drawn,
        "train": drawn.train,
        "pair": pair(),
        "deep": [{"a": (nothing(), 1)}, "text"],
        (1, True): 2.5,
    }


def test_a_result_has_the_shape_of_the_return_value() -> None:
    result = everything.run().result()

    assert result == {
        "split": ([1, 2], [3]),
        "train": [1, 2],
        "pair": (3, "three"),
        "deep": [{"a": (None, 1)}, "text"],
        (1, True): 2.5,
    }
    assert result["split"].test == [3]


@pipeline(progress=False)
def named() -> Split:
    return parts()


@pipeline(progress=False)
def empty() -> None:
    nothing()


@pipeline(progress=False)
def constant() -> list[int]:
    nothing()
    return [1, 2]


def test_a_named_tuple_comes_back_as_its_class() -> None:
    assert type(named.run().result()) is Split


def test_a_pipeline_that_returns_nothing_has_no_result() -> None:
    assert empty.run().result() is None


def test_a_pipeline_may_return_a_constant() -> None:
    assert constant.run().result() == [1, 2]


@step
def three() -> tuple[int, str]:
    return 1, "a", 2  # type: ignore[return-value]


@step
def single() -> Split:
    return [1]  # type: ignore[return-value]


@pipeline(progress=False)
def wrong(which: str) -> Any:
    return three() if which == "three" else single()


@pytest.mark.parametrize(
    ("which", "said", "hint"),
    [
        (
            "three",
            "declares 2 outputs (output_0, output_1) and returned 3",
            "Return as many values as the annotation names.",
        ),
        (
            "single",
            "declares 2 outputs (train, test) and returned one list",
            "Return a tuple, or change the return annotation.",
        ),
    ],
)
def test_another_number_of_outputs_fails_the_step(which: str, said: str, hint: str) -> None:
    with pytest.raises(RunFailed) as caught:
        wrong.run(which)

    where = (three if which == "three" else single).signature.where
    assert str(caught.value.__cause__) == f"Step {which} {said} ({where}).\n{hint}"


OWN_FILE = """
from __future__ import annotations
from typing import TYPE_CHECKING, NamedTuple
from penstock import pipeline, step
if TYPE_CHECKING:
    from decimal import Decimal

class Both(NamedTuple):
    a: int
    b: Decimal

@step
def both(x: Decimal | int) -> Both:
    return Both(1, 2)

@pipeline
def main() -> Both:
    return both(both(3).a)

if __name__ == "__main__":
    result = main.run().result()
    print(type(result) is Both, result)
"""


def test_steps_in_the_main_file_work_with_postponed_annotations(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN_FILE)

    run = subprocess.run([sys.executable, "own.py"], capture_output=True, text=True, check=False)

    assert run.stdout == "True Both(a=1, b=2)\n", run.stderr
