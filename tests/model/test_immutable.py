import copy
import dataclasses
import pickle
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack
from penstock.errors import ImmutableComponent, StackError
from penstock.model.component import Secret, StackComponent
from penstock.model.names import offered


@dataclass(frozen=True, kw_only=True)
class Kettle(StackComponent):
    category: ClassVar[str] = "boiler"
    flavor: ClassVar[str] = "kettle"

    degrees: int = 100
    token: str = ""
    urls: tuple[str, ...] = ()


class Loud(Kettle):
    """No dataclass itself."""


@pytest.mark.parametrize("made", [Kettle, Loud])
def test_a_component_that_is_assigned_to_says_what_to_type(made: type[Kettle]) -> None:
    kettle = made(name="big")

    with pytest.raises(ImmutableComponent) as caught:
        kettle.degrees = 90  # type: ignore[misc]

    assert str(caught.value) == (
        "The boiler 'big' cannot be changed in place: its 'degrees' was to be set.\n"
        "Type: client.update(client.components('boiler')['big'], degrees=90)"
    )
    assert kettle.degrees == 100


def test_it_is_a_stack_error_and_an_attribute_error() -> None:
    assert issubclass(ImmutableComponent, StackError)
    assert issubclass(ImmutableComponent, AttributeError)
    assert ImmutableComponent.exit_code == 3


@pytest.mark.parametrize(("attribute", "value", "typed"), [
    ("token", "s3cret", "…"),
    ("urls", ("a",), "…"),
    ("urls", "https://me:s3cret@host", "'https://me:***@host'"),
    ("degrees", None, "None"),
    ("urls", Secret("s3cret"), "…"),
])  # fmt: skip
def test_no_secret_is_in_the_line(attribute: str, value: Any, typed: str) -> None:
    with pytest.raises(ImmutableComponent) as caught:
        setattr(Kettle(), attribute, value)

    assert caught.value.hint is not None
    assert caught.value.hint.endswith(f", {attribute}={typed})")
    assert "s3cret" not in str(caught.value)


def test_a_stack_that_is_assigned_to_says_what_to_type() -> None:
    parts = {"orchestrator": LocalOrchestrator(), "artifact_store": LocalArtifactStore()}
    stack: Any = Stack("mine", **parts)  # type: ignore[arg-type]

    with pytest.raises(ImmutableComponent) as caught:
        stack.artifact_store = "bucket"

    assert str(caught.value) == (
        "The stack 'mine' cannot be changed in place: its 'artifact_store' was to be set.\n"
        "Type: client.update(client.stacks['mine'], artifact_store='bucket')"
    )


def test_the_line_works_as_it_stands() -> None:
    client = Client()
    client.register(LocalArtifactStore(name="bucket", path="a"), save=True)
    bucket: Any = client.registry.ready("artifact-store", "bucket")

    with pytest.raises(ImmutableComponent) as caught:
        bucket.path = "b c"
    assert caught.value.hint is not None
    eval(caught.value.hint.removeprefix("Type: "), {"client": client})

    assert client.components("artifact-store")["bucket"].options == {"path": "b c"}


def mine() -> Any:
    return Stack("mine", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore())


@pytest.mark.parametrize(("attribute", "told"), [
    ("name", ("The boiler 'big' keeps its name.\n"
     "Register another one: client.register(Kettle(name='q', …), save=True). "
     "To delete this one: client.delete(client.components('boiler')['big'])")),
    ("flavor", ("The boiler 'big' keeps its flavor.\n"
     "Register another one: client.register(…, save=True). "
     "To delete this one: client.delete(client.components('boiler')['big'])")),
    ("degree", ("The boiler 'big' takes no 'degree'. It takes: 'degrees', 'token', 'urls'.\n"
     "Did you mean 'degrees'?")),
    ("nope", "The boiler 'big' takes no 'nope'. It takes: 'degrees', 'token', 'urls'."),
])  # fmt: skip
def test_what_no_update_takes_is_told_at_once(attribute: str, told: str) -> None:
    with pytest.raises(ImmutableComponent) as caught:
        setattr(Kettle(name="big"), attribute, "q")

    assert str(caught.value) == told


@pytest.mark.parametrize(("attribute", "told"), [
    ("origin", "The stack 'mine' takes no 'origin'. It takes: 'orchestrator', 'artifact_store', "),
    ("more", "Components of another category, for example: client.update(…, data_validators=…)"),
    ("flavor", "The stack 'mine' takes no 'flavor'."),
    ("secret", "Did you mean 'secrets'?"),
])  # fmt: skip
def test_what_a_stack_does_not_take_by_this_name_is_told(attribute: str, told: str) -> None:
    with pytest.raises(ImmutableComponent) as caught:
        setattr(mine(), attribute, "q")

    assert told in str(caught.value)


def test_a_stack_gets_another_name_as_the_lines_say() -> None:
    client = Client()
    client.register(mine(), save=True)

    with pytest.raises(ImmutableComponent, match="'mine' keeps its name") as caught:
        mine().name = "q"
    assert caught.value.hint is not None
    first, second = caught.value.hint.split(" To delete this one: ")
    line = first.removeprefix("Register another one: ").removesuffix(".")
    for each in (line, second):
        eval(each, {"client": client, "dataclasses": dataclasses})

    assert list(client.stacks) == ["default", "q"]


def test_what_is_deleted_from_a_component_is_taken_away_by_the_line() -> None:
    client = Client()
    client.register(LocalArtifactStore(name="bucket", path="a"), save=True)
    bucket: Any = client.registry.ready("artifact-store", "bucket")

    with pytest.raises(ImmutableComponent, match="its 'path' was to be deleted") as caught:
        del bucket.path
    assert caught.value.hint is not None
    eval(caught.value.hint.removeprefix("Type: "), {"client": client})

    assert client.components("artifact-store")["bucket"].options == {}


def test_a_name_that_is_deleted_stays() -> None:
    stack = mine()

    with pytest.raises(ImmutableComponent, match="'mine' keeps its name"):
        del stack.name


def test_a_copy_is_made_and_pickled_as_before() -> None:
    kettle = Kettle(degrees=3)

    assert copy.deepcopy(kettle) == pickle.loads(pickle.dumps(kettle)) == kettle


@pytest.mark.parametrize(("name", "offer"), [
    ("Production Stack", "production-stack"),
    ("größe", "grosse"),
    (" -a/b\\c- ", "a-b-c"),
    ("Ünïcode__X", "unicode__x"),
    ("x" * 200, "x" * 128),
    ("склад", "my-name"),
    ("", "my-name"),
    (3, "3"),
])  # fmt: skip
def test_a_name_that_would_do_is_offered(name: object, offer: str) -> None:
    assert offered(name) == offer
