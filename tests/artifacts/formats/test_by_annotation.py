import math
from typing import Annotated, Any, Optional

import models
import pytest
from hypothesis import given
from hypothesis import strategies as st
from there_and_back import back, dumped, loaded

from penstock.artifacts.formats import registry
from penstock.artifacts.formats.dataclass import Dataclass
from penstock.artifacts.formats.pydantic import Pydantic
from penstock.artifacts.materializer import NotThisFormat
from penstock.errors import CorruptArtifact, TypeMismatch

POINT = models.Point(1, 2.5)
NESTED = models.Nested(
    "n", POINT, None, [POINT], {"p": POINT}, (POINT, 3), (POINT, POINT), [{1: models.Frozen(1)}],
    plain={(1, 2): {3}, "x": math.inf}, last=b"\xff",
)  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        POINT,
        NESTED,
        models.Frozen(1, (2, 3)),
        models.Box(7),
        models.Holder({"a": (1, None)}),
        models.Nested("n", POINT, POINT, [], {}, (POINT, 1), (), [], options=[POINT]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_dataclass_comes_back(value: Any) -> None:
    id, data = dumped(value, type(value))
    found = loaded(id, data, type(value))

    assert id == "dataclass/1"
    assert found == value
    assert repr(found) == repr(value)


@given(st.builds(models.Point, st.integers(), st.floats(allow_nan=False)))
def test_fields_come_back_with_their_types(point: models.Point) -> None:
    assert repr(back(point, models.Point)) == repr(("dataclass/1", point))


def test_post_init_does_not_run_again() -> None:
    value, made = models.Counted(1), models.Counted.made

    assert back(value, models.Counted)[1].n == 2
    assert models.Counted.made == made


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (models.Holder(POINT), "the annotation does not say which class is inside"),
        (models.Either(POINT), "nor does this one"),
        (models.Holder(object()), "not plain"),
        (models.WithInitVar(1), "made of more than its fields"),
        (models.Computed(1), "a computed field"),
        (models.Stateful(1), "it says how it is pickled"),
        (models.Listed(1), "a list as well"),
        (models.Nested("n", models.Sub(1), None, [], {}, (POINT, 1), (), []), "a subclass inside"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_a_dataclass_that_would_change_is_left_to_others(value: Any, why: str) -> None:
    with pytest.raises(NotThisFormat):
        Dataclass(type(value)).dump(value)


def test_state_beside_the_fields_is_left_to_others() -> None:
    fresh, used, extra = models.Cached(2), models.Cached(2), models.Point(1)
    assert used.square == 4
    extra.more = 1  # type: ignore[attr-defined]

    assert dumped(fresh, models.Cached)[0] == "dataclass/1"
    assert dumped(used, models.Cached)[0] == "pickle/1"
    assert dumped(extra, models.Point)[0] == "pickle/1"


def test_only_an_annotation_of_exactly_this_class_will_do() -> None:
    for hint in (models.Point, Annotated[models.Point, "p"], Optional[models.Point]):  # noqa: UP045
        assert dumped(POINT, hint)[0] == "dataclass/1"
    for hint in (None, Any, object, models.Point | models.Frozen, "Point"):
        assert dumped(POINT, hint)[0] == "pickle/1"
    assert dumped(models.Sub(1), models.Point)[0] == "pickle/1"
    assert dumped(models.Box(1), models.Box[int])[0] == "dataclass/1"


def test_without_a_class_the_error_says_to_annotate() -> None:
    for value in (POINT, models.Settings()):
        id, data = dumped(value, type(value))
        name = type(value).__name__
        with pytest.raises(TypeMismatch, match=f"(?s)models:{name}.*Annotate.*with {name}"):
            loaded(id, data)


def test_another_class_with_the_same_fields_is_refused() -> None:
    for value, other in ((POINT, models.Frozen), (models.Settings(), models.Loose)):
        id, data = dumped(value, type(value))
        with pytest.raises(TypeMismatch, match=f"and not the annotated 'models:{other.__name__}'"):
            loaded(id, data, other)


def test_other_fields_than_stored_are_refused() -> None:
    data = bytearray(b'"models:Point"\n{"x":1,"old":2}')

    with pytest.raises(TypeMismatch, match=r"with the fields x, old; it now has x, y\."):
        loaded("dataclass/1", data, models.Point)


def test_names_are_the_classes_inside_too() -> None:
    format = Dataclass(models.Nested)
    format.dump(NESTED)

    assert set(format.names()) == {models.Nested, models.Point, models.Frozen}


@pytest.mark.parametrize(
    "model",
    [
        models.Settings(),
        models.Settings(lr=1, layers=[1], inner=models.Settings(lr=3e-4)),
        models.Loose(anything={"a": [1, 2.0, None]}, num=2),
    ],
)
def test_a_model_comes_back(model: Any) -> None:
    id, data = dumped(model, type(model))
    found = loaded(id, data, type(model))

    assert id == "pydantic/1"
    assert (type(found), found, repr(found)) == (type(model), model, repr(model))


@pytest.mark.parametrize(
    "model",
    [
        models.Loose(anything=(1, 2)),
        models.Loose(anything=models.Color.RED),
        models.Loose(hidden=1),
        models.Loose.model_construct(number=1),
        models.Growing(n=1),
        models.Settings(lr=math.nan),
        models.Settings.model_construct(lr="no number"),
    ],
    ids=repr,
)
def test_a_model_that_would_change_is_left_to_others(model: Any) -> None:
    with pytest.raises(NotThisFormat):
        Pydantic(type(model)).dump(model)


def test_a_model_that_does_not_take_what_was_stored_says_so() -> None:
    data = bytearray(b'"models:Growing"\n{"n":"x"}')

    with pytest.raises(TypeMismatch, match="'models:Growing' does not take what was stored of it"):
        loaded("pydantic/1", data, models.Growing)


@pytest.mark.parametrize("value", [NESTED, models.Settings(layers=[1, 2])])
def test_malformed_bytes_are_penstock_errors(value: Any) -> None:
    id, data = dumped(value, type(value))

    for length in range(len(data)):
        with pytest.raises((CorruptArtifact, TypeMismatch)):
            registry.for_format(id, type(value)).load(data[:length])  # type: ignore[union-attr, call-arg]
