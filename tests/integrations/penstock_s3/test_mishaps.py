"""Something happens to every operation, and what it says is so."""

from collections.abc import Iterator

import pytest
from judge import Judge
from mishaps import Mishaps, Tally, run
from places import Made
from planted_s3_stores import Hopeful, Trusting
from sampling import takes_all
from servers import Server

from penstock.testing.proxy import FaultProxy

DEADLINE = 36.0
"""Seconds; of these the first attempt has six, so that whoever never answers costs no more."""


def test_whatever_happens_an_operation_says_what_came_of_it(
    made: Made, server: Server, proxy: FaultProxy
) -> None:
    proxy.plan = mishaps = Mishaps(1)
    store = made("deep/down", through=proxy, part_size="5MiB", deadline=DEADLINE)
    operations = 2000 if takes_all() else 96
    tally = run(store, mishaps, Judge(server.url, made.bucket, "deep/down"), operations)

    assert (tally.false_successes, tally.false_failures, tally.lost) == ([], [], [])
    assert tally.untouched == []
    assert tally.faults >= tally.operations >= operations


@pytest.fixture
def unlucky(moto: Server) -> Iterator[FaultProxy]:
    with FaultProxy(moto.url) as proxy:
        yield proxy


def _tally(kind: type[Trusting], moto: Server, proxy: FaultProxy) -> Tally:
    proxy.plan = mishaps = Mishaps(1)
    bucket = moto.bucket()
    store = kind(name="planted", bucket=bucket, endpoint_url=proxy.url)
    return run(store, mishaps, Judge(moto.url, bucket), 80, workers=8)


def test_who_believes_what_comes_is_found_out(moto: Server, unlucky: FaultProxy) -> None:
    tally = _tally(Trusting, moto, unlucky)

    assert any(said.startswith("get: ") for said in tally.false_successes)
    assert any(said.startswith("exclusive put: KeyTaken") for said in tally.false_failures)


def test_who_hopes_that_it_has_worked_is_found_out(moto: Server, unlucky: FaultProxy) -> None:
    assert any(" is None, not " in said for said in _tally(Hopeful, moto, unlucky).lost)
