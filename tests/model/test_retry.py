"""`Retry`: which errors, how often, and how long the waits are."""

import socket
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Retry
from penstock.errors import BadStep
from penstock.model.options import StepOptions

retries = st.builds(
    Retry,
    times=st.integers(0, 10**6),
    delay=st.floats(0, 1e6),
    factor=st.floats(1, 1e6),
    longest=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
    on=st.lists(st.sampled_from(["OSError", "KeyError", "requests.exceptions:Timeout"])),
)


@given(retries, st.integers(1, 100))
def test_a_wait_is_the_usual_one_but_for_jitter(retry: Retry, attempt: int) -> None:
    usual = Fraction(retry.delay)
    for _ in range(attempt - 1):
        usual *= Fraction(retry.factor)
    usual = min(usual, Fraction(retry.longest))
    jitter = retry.jitter + 1e-9
    assert float(usual) * (1 - jitter) <= retry.wait(attempt) <= float(usual) * (1 + jitter)


def test_without_jitter_waits_double_up_to_the_longest() -> None:
    retry = Retry(times=6, delay=1, longest=10, jitter=0)
    assert [retry.wait(attempt) for attempt in range(1, 7)] == [1, 2, 4, 8, 10, 10]


def test_jitter_differs_from_wait_to_wait() -> None:
    retry = Retry(delay=1)
    waits = {retry.wait(1) for _ in range(20)}
    assert len(waits) > 1
    assert all(0.75 <= wait <= 1.25 for wait in waits)


@pytest.mark.parametrize(("delay", "wait"), [(1, 60), (0, 0)])
def test_very_many_attempts_are_too_many_for_no_number(delay: float, wait: float) -> None:
    assert Retry(delay=delay, factor=10, jitter=0).wait(10**6) == wait


def test_without_a_delay_there_is_no_wait() -> None:
    assert [Retry(delay=0).wait(attempt) for attempt in (1, 2, 100)] == [0, 0, 0]


@given(retries)
def test_it_comes_back_from_plain_data(retry: Retry) -> None:
    assert Retry(**retry.to_data()) == retry
    assert StepOptions.from_text(StepOptions(retries=retry).to_text()).retries == retry


def test_a_number_is_short_for_times() -> None:
    assert StepOptions(retries=3).retry == Retry(times=3)
    assert StepOptions.from_text(StepOptions(retries=3).to_text()).retries == 3


# Errors.


class Busy(Exception):
    pass


class VeryBusy(Busy):
    pass


@pytest.mark.parametrize(
    ("on", "error", "covered"),
    [
        ((), KeyError(), True),
        ((OSError,), OSError(), True),
        ((OSError,), ConnectionResetError(), True),
        ((OSError,), KeyError(), False),
        (OSError, TimeoutError(), True),
        (("OSError",), FileNotFoundError(), True),
        (("IOError",), OSError(), True),
        ("OSError", OSError(), True),
        ((KeyError, "OSError"), OSError(), True),
        ((LookupError,), KeyError(), True),
        ((KeyError,), LookupError(), False),
        ((Busy,), VeryBusy(), True),
        ((VeryBusy,), Busy(), False),
        ((f"{__name__}:Busy",), VeryBusy(), True),
        ((socket.timeout,), TimeoutError(), True),
    ],
)
def test_errors_count_with_their_subclasses(on: Any, error: Exception, covered: bool) -> None:
    retry = Retry(on=on)
    assert retry.covers(error) is covered
    assert Retry(**retry.to_data()).covers(error) is covered


def test_errors_are_kept_as_names() -> None:
    assert Retry(on=(OSError, Busy, "requests.exceptions:Timeout")).on == (
        "OSError", f"{__name__}:Busy", "requests.exceptions:Timeout",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"times": -1}, "Retry(times=-1) does not fit: a whole number, 0 or more is needed."),
        ({"times": True}, "Retry(times=True) does not fit: a whole number, 0 or more is needed."),
        ({"delay": -1}, "Retry(delay=-1) does not fit: seconds, 0 or more is needed."),
        ({"delay": float("nan")}, "Retry(delay=nan) does not fit: seconds, 0 or more is needed."),
        ({"factor": 0.5}, "Retry(factor=0.5) does not fit: a number, 1 or more is needed."),
        ({"longest": "1"}, "Retry(longest='1') does not fit: seconds, 0 or more is needed."),
        ({"jitter": 2}, "Retry(jitter=2) does not fit: a number from 0 to 1 is needed."),
        ({"on": [3]}, "Retry(on=3) does not fit: classes of errors are needed."),
        ({"on": ["OSErr"]}, "Retry(on=['OSErr']): Python has no error of this name."),
        ({"on": ["Timeout"]}, "Did you mean 'TimeoutError'?"),
        ({"on": ["Busy"]}, "write 'module:Name', for example 'requests.exceptions:Timeout'."),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadStep) as caught:
        Retry(**options)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("kind", [int, str, Retry])
def test_a_class_that_is_no_error_is_refused(kind: Any) -> None:
    with pytest.raises(BadStep, match="does not fit: classes of errors are needed"):
        Retry(on=(kind,))
