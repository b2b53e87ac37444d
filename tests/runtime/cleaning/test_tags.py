"""Tags: names that users give to artifacts, and what they are good for."""

import json
from pathlib import Path
from typing import Any

import pytest
from past import DAY, Past, chain, failing, loose, pickling, single, using

from penstock import LocalArtifactStore, pipeline, step
from penstock.errors import BadStep, CorruptArtifact, NotFound, UntrustedArtifact


@step
def twice(text: str) -> tuple[str, str]:
    return text, text * 2


@pipeline(progress=False)
def doubling(text: str) -> None:
    twice(text)
    twice(text * 2)


def owned(path: Path, key: str | None) -> Past:
    """The same store for the owner of a key."""
    return Past(path, LocalArtifactStore(path=str(path), signing_key=key))  # type: ignore[arg-type]


# By which name.


@pytest.mark.parametrize("name", ["chain/joined", "chain/join", "chain/join/joined"])
def test_an_artifact_has_the_name_of_its_output_and_of_its_step(past: Past, name: str) -> None:
    run = past.run("a")
    found = past.client.artifact(name)

    assert (found.run, found.step, found.name) == (run.id, "join", "joined")


@pytest.mark.parametrize("name", ["last/make", "{}/make", "{tail}/make/output", "single/make"])
def test_an_artifact_of_one_run_has_the_runs_name(past: Past, name: str) -> None:
    run = past.run("a", single)

    assert past.client.artifact(name.format(run.id, tail=run.id[-4:])).load() == "a" * 5000


def test_without_a_tag_it_is_the_newest(past: Past) -> None:
    for text in "ab":
        past.run(text, single)

    assert past.client.artifact("single/make").load() == "b" * 5000


def test_a_run_that_has_no_such_result_is_passed_over(past: Past) -> None:
    past.run("a", single)
    past.failed("b")

    assert past.client.artifact("failing/make").load() == "b" * 5000
    with pytest.raises(NotFound, match="no artifact 'broken'"):
        past.client.artifact("failing/broken")


def test_several_artifacts_of_one_name_are_told_apart_by_their_step(past: Past) -> None:
    doubling.on(past.stack).run("a")
    with pytest.raises(NotFound, match="'doubling/twice/output_0', 'doubling/twice-2/output_0'"):
        past.client.artifact("doubling/output_0")

    assert past.client.artifact("doubling/twice-2/output_0").load() == "aa"


def test_an_artifact_that_is_not_there_is_an_error_with_those_that_are(past: Past) -> None:
    past.run("a")
    with pytest.raises(NotFound, match="Artifacts: 'chain/make', 'chain/make-2', 'chain/joined'"):
        past.client.artifact("chain/jined")
    with pytest.raises(NotFound, match="There is no run 'chian'"):
        past.client.artifact("chian/joined")


# Tags.


def test_a_tag_stays_where_it_was_set(past: Past) -> None:
    past.run("a", single)
    past.client.tag("single/make", "prod")
    past.run("b", single)

    assert past.client.artifact("single/make", tag="prod").load() == "a" * 5000
    assert past.client.artifact("single/make").load() == "b" * 5000


def test_a_tag_moves(past: Past) -> None:
    past.run("a", single)
    past.client.tag("single/make", "prod")
    run = past.run("b", single)
    past.client.tag(run["make"].output, "prod")

    assert past.client.artifact("single/make", tag="prod").load() == "b" * 5000
    assert [tag.run for tag in past.client.tagged()] == [run.id]


def test_a_tagged_artifact_is_an_argument(past: Past) -> None:
    past.run("a", single)
    past.client.tag("single/make", "prod")
    run = using.on(past.stack).run(past.client.artifact("single/make", tag="prod"))

    assert run.result() == "a" * 5000 + "!"


@pytest.mark.parametrize("of", [single, pickling, loose])
def test_a_tagged_artifact_outlives_its_run(past: Past, of: Any) -> None:
    run = past.run("a", of)
    expected = run.result()
    [tag] = [past.client.tag(view.output, "prod") for view in run if view.id == list(run)[-1].id]
    past.passes(90 * DAY)
    past.gc_hard(keep_runs=0)

    assert past.runs == []
    assert past.client.artifact(f"{of.name}/{tag.name}", tag="prod").load() == expected


def test_a_tag_that_is_off_keeps_nothing(past: Past) -> None:
    past.run("a", single)
    past.client.tag("single/make", "prod")
    past.passes(90 * DAY)
    past.client.untag("single/make", "prod")
    past.gc_hard(keep_runs=0)

    assert past.objects() == set()
    with pytest.raises(NotFound, match="There is no tag 'prod' of single/make"):
        past.client.untag("single/make", "prod")


def test_tags_are_listed_by_name_and_pipeline(past: Past) -> None:
    past.run("a")
    past.run("a", single)
    for name, tag in [("chain/joined", "prod"), ("chain/make", "best"), ("single/make", "prod")]:
        past.client.tag(name, tag)

    def listed(**asked: Any) -> list[str]:
        return [f"{each.pipeline}/{each.name} {each.tag}" for each in past.client.tagged(**asked)]

    assert listed() == ["chain/joined prod", "chain/make best", "single/make prod"]
    assert listed(tag="prod") == ["chain/joined prod", "single/make prod"]
    assert listed(tag="prod", pipeline="chain") == ["chain/joined prod"]


def test_an_unknown_tag_is_an_error_with_those_that_there_are(past: Past) -> None:
    past.run("a")
    past.client.tag("chain/joined", "prod")
    with pytest.raises(NotFound, match="Tags: 'chain/joined prod'") as caught:
        past.client.artifact("chain/joined", tag="prd")
    assert caught.value.hint == "Did you mean 'chain/joined prod'?"


@pytest.mark.parametrize("tag", ["", "a/b", "../x", ".hidden", "näme", "x" * 200])
def test_what_is_no_name_is_no_tag(past: Past, tag: str) -> None:
    past.run("a")
    with pytest.raises(BadStep, match="name of a tag"):
        past.client.tag("chain/joined", tag)
    with pytest.raises(NotFound):
        past.client.artifact("chain/joined", tag=tag)


def test_an_artifact_that_is_gone_is_not_tagged(past: Past) -> None:
    run = past.run("a", single)
    for file in past.path.glob("objects/*/*"):
        file.unlink()
    with pytest.raises(NotFound, match="cannot be tagged: it is gone"):
        past.client.tag(run["make"].output, "prod")


# Whom to trust.


def test_a_tag_vouches_for_a_pickle(past: Past) -> None:
    ours, theirs = owned(past.path, "ours"), owned(past.path, "theirs")
    ours.run("a", pickling)
    ours.client.tag("pickling/pickled", "prod")

    assert ours.client.artifact("pickling/pickled", tag="prod").load()["a"] == {1, 2, 3}
    with pytest.raises(UntrustedArtifact):
        theirs.client.artifact("pickling/pickled", tag="prod").load()


def test_a_tag_does_not_make_a_strangers_pickle_trusted(past: Past) -> None:
    ours, theirs = owned(past.path, "ours"), owned(past.path, "theirs")
    theirs.run("a", pickling)
    ours.client.tag("pickling/pickled", "prod")
    with pytest.raises(UntrustedArtifact):
        ours.client.artifact("pickling/pickled", tag="prod").load()


@pytest.mark.parametrize(
    ("old", "new"), [(b'"tag":"prod"', b'"tag":"best"'), (b'"run":', b'"nur":'), (b"{", b"")]
)
def test_a_tag_that_somebody_has_changed_is_corrupt(past: Past, old: bytes, new: bytes) -> None:
    past.run("a", single)
    past.client.tag("single/make", "prod")
    [file] = past.path.glob("tags/*/*/*")
    file.write_bytes(file.read_bytes().replace(old, new, 1))
    with pytest.raises(CorruptArtifact, match=r"tags/single/make/prod\.json"):
        past.client.artifact("single/make", tag="prod")
    assert past.client.tagged() == []


def test_a_tag_of_another_name_is_corrupt(past: Past) -> None:
    past.run("a", single)
    past.client.tag("single/make", "prod")
    [file] = past.path.glob("tags/*/*/*")
    file.with_name("best.json").write_bytes(file.read_bytes())
    with pytest.raises(CorruptArtifact, match="it is the tag 'prod' of single/make"):
        past.client.artifact("single/make", tag="best")


@pytest.mark.parametrize("wrong", [{"artifact": 5}, {"run": None}, {"set_at": "x"}, {"store": 1}])
def test_a_signed_tag_may_hold_anything(past: Past, wrong: dict[str, Any]) -> None:
    past.run("a", single)
    past.client.tag("single/make", "prod")
    [file] = past.path.glob("tags/*/*/*")
    data = json.loads(file.read_bytes().split(b"\n")[0])
    file.write_bytes(past.ledger.keys.sign(json.dumps({**data, **wrong}).encode()))
    try:
        found = past.client.artifact("single/make", tag="prod")
    except CorruptArtifact:
        return
    assert found.record.verified is False


def test_pipelines_of_a_tag_are_told_apart(past: Past) -> None:
    assert {chain.name, failing.name} == {"chain", "failing"}
    past.run("a", single)
    past.client.tag("single/make", "prod")
    with pytest.raises(NotFound, match="no tag 'prod' of chain/make"):
        past.client.artifact("chain/make", tag="prod")
