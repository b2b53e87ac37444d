"""What can be a step, and what a step is outside a pipeline."""

import asyncio
import copy
import functools
import operator
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from penstock import pipeline, step
from penstock.errors import BadArguments, BadStep, UnknownOption
from penstock.model.binding import Given


@step
def add(a: int, b: int = 2) -> int:
    """Adds."""
    return a + b


HERE = f"{__file__}:{add.function.__code__.co_firstlineno}"


@step
async def later(a: int) -> int:
    await asyncio.sleep(0)
    print("slept")
    return a + 1


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


def named_function(name: str) -> Any:
    scope: dict[str, Any] = {}
    exec(f"def {name}(): ...", scope)
    return scope[name]


class Holder:
    def method(self) -> None: ...

    @staticmethod
    def static() -> None: ...

    @classmethod
    def of_class(cls) -> None: ...


def variadic(*args: int) -> None: ...


def keywords(**kwargs: int) -> None: ...


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> Any:
    yield 1


@functools.wraps(int)
def around_a_class() -> None: ...


@functools.wraps(functools.partial(variadic))
def around_a_partial() -> None: ...


def test_outside_a_pipeline_a_step_is_its_function() -> None:
    assert add(1) == 3
    assert add(1, b=4) == 5
    assert add.map([1, 2], b=1) == [2, 3]
    assert add.__name__ == "add"
    assert add.__doc__ == "Adds."


def test_a_step_shows_where_it_is() -> None:
    assert repr(add) == f"<step add ({HERE})>"
    assert add.reference == f"{__name__}:add"


def test_outside_a_pipeline_wrong_arguments_are_pythons_error() -> None:
    with pytest.raises(TypeError, match=r"add\(\) got an unexpected keyword argument 'c'"):
        add(1, c=2)  # type: ignore[call-arg]


WRITE = "Write a plain function with named parameters that returns its result."


@pytest.mark.parametrize("decorator", [step, step(retries=1), pipeline, pipeline(cache=False)])
@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (Holder.method, "Holder.method cannot be a {}: a method needs an object, which no other "
         "process has ({}).\n" + WRITE),
        (Holder.static, "Holder.static cannot be a {}: a method needs an object, which no other "
         "process has ({}).\n" + WRITE),
        (variadic, "variadic cannot be a {}: *args and **kwargs have no names to know the inputs "
         "by ({}).\n" + WRITE),
        (keywords, "keywords cannot be a {}: *args and **kwargs have no names to know the inputs "
         "by ({}).\n" + WRITE),
        (timed(variadic), "variadic cannot be a {}: *args and **kwargs have no names to know the "
         "inputs by ({}).\n" + WRITE),
        (generator, "generator cannot be a {}: a generator has no result to store ({}).\n" + WRITE),
        (async_generator, "async_generator cannot be a {}: a generator has no result to store "
         "({}).\n" + WRITE),
        (lambda: 1, "<lambda> cannot be a {}: a lambda has no name to know it by ({}).\n" + WRITE),
        (around_a_class, "int cannot be a {}: it wraps <class 'int'>, which is no function with "
         "named parameters ({}).\n" + WRITE),
    ],
    ids=["method", "static", "args", "kwargs", "wrapped", "generator", "async-generator", "lambda",
         "around-a-class"],
)  # fmt: skip
def test_what_cannot_be_a_step_or_pipeline_is_refused_at_once(
    function: Any, reason: str, decorator: Any
) -> None:
    with pytest.raises(BadStep) as caught:
        decorator(function)

    inner = getattr(function, "__wrapped__", function)
    code = inner.__code__ if inner is not int else function.__code__
    what = "pipeline" if decorator is pipeline or "pipeline" in decorator.__qualname__ else "step"
    where = f"{code.co_filename}:{code.co_firstlineno}"
    assert str(caught.value) == reason.format(what, where)


@pytest.mark.parametrize(
    ("thing", "kind"),
    [
        (functools.partial(variadic), "partial"),
        (Holder, "type"),
        (len, "builtin_function_or_method"),
        (Holder().method, "method"),
        (Holder.of_class, "method"),
        (operator.itemgetter(1), "itemgetter"),
        (functools.cache(generator), "_lru_cache_wrapper"),
        (staticmethod(generator), "staticmethod"),
        (3, "int"),
    ],
)
def test_only_functions_can_be_steps(thing: Any, kind: str) -> None:
    with pytest.raises(BadStep) as caught:
        step(thing)

    assert str(caught.value) == (
        f"@step is for functions; {thing!r} is a {kind}.\nWrite `def` and put @step on top of it."
    )


def test_a_wrapper_around_a_partial_is_refused() -> None:
    with pytest.raises(BadStep, match=r"it wraps functools\.partial\(.*\), which is no function"):
        step(around_a_partial)


@pytest.mark.parametrize("decorator", [step, pipeline])
def test_a_step_is_not_decorated_again(decorator: Any) -> None:
    with pytest.raises(BadStep) as caught:
        decorator(add)

    name = decorator.__name__
    assert str(caught.value) == (f"<step add ({HERE})> is a step already.\nRemove one @{name}.")


def test_a_step_in_a_class_is_refused_when_the_class_is_made() -> None:
    with pytest.raises(BadStep, match=r"Model\.train cannot be a step: a method needs an object"):

        class Model:
            @step
            def train(self) -> None: ...


def test_a_step_read_from_a_class_is_refused() -> None:
    class Model:
        add = add

    with pytest.raises(BadStep) as caught:
        _ = Model().add
    assert str(caught.value) == (
        f"Step 'add' is read from a class ({HERE}): a method cannot be a step.\n"
        "Make it a function of the module."
    )


def test_an_async_pipeline_is_refused() -> None:
    async def drawn() -> None: ...

    with pytest.raises(BadStep, match=r"drawn cannot be a pipeline: its steps may be async"):
        pipeline(drawn)


def test_a_name_in_other_letters_needs_another_name() -> None:
    with pytest.raises(BadStep) as caught:
        step(named_function("größe"))
    assert str(caught.value) == (
        "'größe' cannot be the name of a step: a name is 1 to 128 letters, digits, '_', '-' or "
        "'.', and begins with a letter, a digit or '_'.\nWrite name='grosse', for example."
    )
    assert step(name="grosse")(named_function("größe")).name == "grosse"


@pytest.mark.parametrize("name", ["a", "_", "9", "a.b-c_d", "x" * 128])
def test_names_that_are_allowed(name: str) -> None:
    assert add.with_options(name=name).name == name


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "x" * 129, "a\n", "é", 3])
def test_names_that_are_refused(name: Any) -> None:
    with pytest.raises(BadStep, match=r"cannot be the name of a step: a name is 1 to 128 letters"):
        add.with_options(name=name)


def test_a_decorated_function_keeps_its_parameters() -> None:
    @step
    @timed
    def half(n: int, by: int = 2) -> int:
        return n // by

    assert half(4) == 2
    assert list(half.signature.parameters) == ["n", "by"]
    assert half.name == "half"


def test_attributes_of_a_function_do_not_hide_those_of_the_step() -> None:
    def marked() -> None: ...

    marked.__dict__.update(options="mine", signature="mine", function="mine", reference="mine")
    made = step(marked)

    assert made.options.retries == 0
    assert made.function is marked
    assert not made.signature.names
    assert made.reference.endswith("marked")


def test_a_step_may_be_defined_in_a_function() -> None:
    @step
    def inner(x: int) -> int:
        return x

    drawn = pipeline(named_function("main")).with_options(name="main")
    assert drawn.name == "main"
    assert inner.reference.endswith("test_a_step_may_be_defined_in_a_function.<locals>.inner")


def test_a_step_can_be_copied() -> None:
    twin = copy.deepcopy({"step": add.with_options(retries=2)})["step"]

    assert twin.options.retries == 2
    assert twin(1) == 3
    assert copy.copy(add).name == "add"


@step
def awkward(a: int, /, b: int, c: int = 3, *, d: int, e: int = 5) -> int:
    return a * 10000 + b * 1000 + c * 100 + d * 10 + e


@step
def own_words(self: int, items: int, step: int = 1) -> int:
    return self * 100 + items * 10 + step


def bound(call: Callable[[], Any]) -> dict[str, Any]:
    """What the parameters of the one step that `call` draws are bound to."""

    @pipeline
    def drawn() -> None:
        call()

    (only,) = drawn.graph().calls.values()
    values = {}
    for name, binding in only.bindings.items():
        assert type(binding) is Given
        values[name] = binding.value
    return values


@pytest.mark.parametrize(
    "call",
    [
        lambda: awkward(1, 2, d=4),
        lambda: awkward(1, b=2, d=4),
        lambda: awkward(1, 2, 3, d=4, e=5),
        lambda: awkward(1, d=4, c=3, b=2),
    ],
)
def test_arguments_are_bound_as_python_binds_them(call: Callable[[], Any]) -> None:
    assert bound(call) == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
    assert call() == 12345


def test_parameters_may_have_any_name() -> None:
    assert own_words(self=1, items=2, step=3) == 123
    assert bound(lambda: own_words(self=1, items=2)) == {"self": 1, "items": 2, "step": 1}
    assert own_words.map([1], items=2) == [121]
    assert bound(lambda: own_words.map([1], items=2)) == {"self": 1, "items": 2, "step": 1}


@pytest.mark.parametrize(
    ("call", "said", "hint"),
    [
        (lambda: add(b=1), "missing a required argument: 'a'", None),
        (lambda: add(1, 2, 3), "too many positional arguments", None),
        (lambda: add(1, a=2), "multiple values for argument 'a'", None),
        (lambda: add(1, bb=2), "got an unexpected keyword argument 'bb'", "Did you mean 'b'?"),
        (lambda: add.map([1], a=2), "multiple values for argument 'a'", None),
    ],
)
def test_arguments_that_do_not_fit_are_told_with_both_places(
    call: Callable[[], Any], said: str, hint: str | None
) -> None:
    with pytest.raises(BadArguments) as caught:
        bound(call)

    here = f"{__file__}:{call.__code__.co_firstlineno}"
    assert caught.value.message == (
        f"add(): {said}. Its parameters: a, b ({HERE}). Called at {here}."
    )
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    "call", [lambda: awkward(a=1, b=2, d=4), lambda: awkward(1, 2, 3, 4), lambda: awkward(1, 2)]
)
def test_positional_only_and_keyword_only_are_kept(call: Callable[[], Any]) -> None:
    with pytest.raises(BadArguments, match=r"awkward\(\): .* Its parameters: a, b, c, d, e"):
        bound(call)


def test_outside_a_run_an_async_step_is_awaited_as_its_function_is() -> None:
    assert asyncio.run(later(1)) == 2  # type: ignore[arg-type]


@pipeline(progress=False)
def waits() -> list[int]:
    return [later(later(1)), *later.map([10, 20])]


def test_a_run_awaits_async_steps() -> None:
    assert waits.run().result() == [3, 11, 21]


def test_a_run_in_a_running_event_loop_awaits_async_steps() -> None:
    async def notebook() -> Any:
        return waits.run()

    run = asyncio.run(notebook())

    assert run.result() == [3, 11, 21]
    assert run["later"].logs() == "slept\n"


@step
@timed
async def wrapped(a: int) -> int:
    await asyncio.sleep(0)
    return a


@pipeline(progress=False)
def waits_for_wrapped() -> int:
    return wrapped(1)


def test_a_run_awaits_an_async_function_behind_a_plain_decorator() -> None:
    assert waits_for_wrapped.run().result() == 1


@step
async def fails() -> int:
    await asyncio.sleep(0)
    raise LookupError("not there")


@pipeline(progress=False)
def failing() -> int:
    return fails()


@pytest.mark.parametrize("in_loop", [False, True])
def test_what_an_async_step_raises_is_the_steps_error(in_loop: bool) -> None:
    async def notebook() -> None:
        failing.run()

    with pytest.raises(Exception, match=r"Step fails of 'failing' failed: LookupError") as caught:
        asyncio.run(notebook()) if in_loop else failing.run()
    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.parametrize(
    ("attribute", "hint"),
    [
        ("entrypoint", "add.function is the plain function; add(…) calls it"),
        ("submit", "call it, add(…), inside a @pipeline"),
        ("expand", "add.map(items)"),
        ("configure", "add.with_options(…)"),
        ("run", "only pipelines run: write a @pipeline that calls add(…)"),
    ],
)
def test_attributes_of_other_tools_get_our_spelling(attribute: str, hint: str) -> None:
    with pytest.raises(UnknownOption) as caught:
        getattr(add, attribute)

    assert str(caught.value) == f"A step has no {attribute!r}.\nHere that is: {hint}."
    assert not hasattr(add, attribute)


@pytest.mark.parametrize(
    ("attribute", "hint"),
    [
        ("submit", "waits.run()"),
        ("deploy", "waits.on('stack').run()"),
        ("configure", "waits.with_options(…)"),
        ("visualize", "waits.graph().to_mermaid()"),
    ],
)
def test_attributes_of_other_tools_pipelines_get_our_spelling(attribute: str, hint: str) -> None:
    with pytest.raises(UnknownOption) as caught:
        getattr(waits, attribute)

    assert str(caught.value) == f"A pipeline has no {attribute!r}.\nHere that is: {hint}."
    assert not hasattr(waits, attribute)


def test_attributes_of_nobody_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="Step 'add' has no attribute 'nope'"):
        add.nope  # noqa: B018
    with pytest.raises(AttributeError, match="Pipeline 'waits' has no attribute 'nope'"):
        waits.nope  # noqa: B018
