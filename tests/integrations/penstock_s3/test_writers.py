"""Sixteen writers want many keys; each key is somebody's, and of nobody else."""

import random
from typing import Any

from judge import Judge
from sampling import takes_all
from servers import KEY, REGION, SECRET, Server
from writers import FAILED, Winners, race, what

from penstock.testing.asked import Request
from penstock.testing.faults import ANSWER_LOST, CONFLICT, INTERNAL_ERROR, RESET, Fault, Refusal
from penstock.testing.proxy import FaultProxy

CREW: dict[str, Any] = {"writers": 16, "keys": 60 if takes_all() else 20, "processes": 2}
WHO = {"key": KEY, "secret": SECRET, "region": REGION}


def options(url: str, bucket: str) -> dict[str, Any]:
    return {"path": f"s3://{bucket}/here", "endpoint_url": url, **WHO}


def often_unlucky(request: Request) -> Fault | None:
    """A third of all writes, a few times each."""
    choice = random.Random(request.number)
    if request.kind != "put" or request.before > 30 or choice.random() > 0.3:
        return None
    late = Refusal(status=503, code="SlowDown", reaches=True)
    return choice.choice([ANSWER_LOST, ANSWER_LOST, late, CONFLICT, INTERNAL_ERROR, RESET])


def crowded(winners: Winners) -> Winners:
    """The keys that not exactly one has won, and who failed."""
    return {
        key: writers
        for key, writers in winners.items()
        if len(writers) != 1 or key.startswith(FAILED)
    }


def others(winners: Winners, judge: Judge) -> list[str]:
    """The keys under which something else lies than one of their winners has written."""
    return [
        key
        for key, writers in winners.items()
        if judge.data(key) not in [what(writer) for writer in writers]
    ]


def test_of_sixteen_writers_one_gets_each_key(moto: Server) -> None:
    bucket = moto.bucket()
    winners = race("S3ArtifactStore", options(moto.url, bucket), **CREW)

    assert crowded(winners) == {}
    assert others(winners, Judge(moto.url, bucket, "here")) == []


def test_one_gets_each_key_though_answers_are_lost(moto: Server) -> None:
    bucket = moto.bucket()
    with FaultProxy(moto.url, plan=often_unlucky) as proxy:
        keys = 60 if takes_all() else 15
        winners = race("S3ArtifactStore", options(proxy.url, bucket), **{**CREW, "keys": keys})
        unlucky = proxy.injected.total()

    assert crowded(winners) == {}
    assert others(winners, Judge(moto.url, bucket, "here")) == []
    assert unlucky > keys


def test_without_conditional_writes_threads_still_take_turns(rclone: Server) -> None:
    bucket = rclone.bucket()
    alone = {**CREW, "processes": 1}
    winners = race("S3ArtifactStore", options(rclone.url, bucket), **alone)

    assert crowded(winners) == {}
    assert others(winners, Judge(rclone.url, bucket, "here")) == []


def test_without_conditional_writes_every_key_is_whole_and_somebodys(rclone: Server) -> None:
    """Two processes may both believe that it is theirs: that is what is announced."""
    bucket = rclone.bucket()
    winners = race("S3ArtifactStore", options(rclone.url, bucket), **CREW)

    assert all(winners.values())
    assert others(winners, Judge(rclone.url, bucket, "here")) == []


def test_who_looks_before_writing_is_found_out(moto: Server) -> None:
    planted = {"bucket": moto.bucket(), "endpoint_url": moto.url}

    assert crowded(race("Overwriting", planted, writers=16, keys=10, processes=1))


def test_who_does_not_read_back_is_found_out(moto: Server) -> None:
    def lost(asked: Request) -> Fault | None:
        """The answer to whoever is first, which is one of four."""
        return ANSWER_LOST if asked.kind == "put" and asked.before < 4 else None

    with FaultProxy(moto.url, plan=lost) as proxy:
        planted = {"bucket": moto.bucket(), "endpoint_url": proxy.url}
        winners = race("Trusting", planted, writers=4, keys=3, processes=1)

    assert winners == {"keys/0": [], "keys/1": [], "keys/2": []}
