import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock import LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.trust import Key
from penstock.digest import of_buffers
from penstock.errors import (
    CorruptArtifact,
    KeyTaken,
    NotFound,
    PenstockError,
    StoreTooNew,
)
from penstock.model.records import Artifact, Failure, RunRecord, Status, StepRun
from penstock.runtime.ledger import Ledger, cache_key
from penstock.runtime.notation import End
from penstock.runtime.runid import PATTERN, new_run_id, nonce

RUN = "20261122-005412-k3fq-7f3a"
OTHER = "20270101-000000-0000-0000"
KEY = "ab" * 32
several = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def ledger_of(path: Path, key: Any = "ours") -> Ledger:
    return Ledger(LocalArtifactStore(path=str(path / "store"), signing_key=key))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return ledger_of(tmp_path)


def inline(data: bytes, format: str = "bytes/1") -> Artifact:
    return Artifact(format, of_buffers([data]), len(data), "c0de", data, ("module:Model",))


STEP = StepRun(
    RUN, "train", "module:train", Status.COMPLETED, KEY, '{"code": "x"}', {"output": inline(b"1")},
    started=1.5, wall=0.25, cpu=0.125, peak_memory=3, read=4, written=5, attempt=2,
)  # fmt: skip
RECORD = RunRecord(
    run=RUN, pipeline="training", reference="module:training", plan="cd" * 32,
    parameters={"lr": "0.1"}, stack="default", stack_origin="the default", orchestrator="local",
    user="me", host="here", process=7, started=1.5, code="ef" * 32, commit=None,
    versions={"python": "3.11.7"}, calls=("load", "train"), hits={"load": KEY},
)  # fmt: skip

texts = st.text(max_size=20)
numbers = st.floats(0, 1e12)
sizes = st.integers(0, 2**53 - 1)
artifacts = st.builds(
    inline, st.binary(max_size=50), st.sampled_from(["bytes/1", "json/1", "text/1"])
)
runs = st.builds(
    StepRun,
    st.just(RUN), st.just("train"), texts, st.sampled_from([Status.COMPLETED, Status.CACHED]),
    st.just(KEY), st.dictionaries(texts, texts).map(json.dumps),
    st.dictionaries(texts, artifacts, max_size=3),
    numbers, numbers, numbers, sizes, sizes, sizes,
    st.integers(1, 9), st.none() | st.builds(Failure, texts, texts, texts),
    st.dictionaries(texts, texts | st.integers() | st.tuples(texts) | st.lists(st.booleans())),
    st.none() | st.tuples(texts, texts),
)  # fmt: skip


@several
@given(runs)
def test_a_step_run_comes_back(ledger: Ledger, run: StepRun) -> None:
    ledger.attempt(run, "one")
    [found] = ledger.attempts(RUN, "train")

    assert found == replace(run, signer=ledger.keys.signing.id, verified=True)


def test_a_run_record_comes_back(ledger: Ledger) -> None:
    ledger.begin(RECORD)

    assert ledger.run(RUN) == RECORD


def test_a_seal_comes_back(ledger: Ledger) -> None:
    end = End(RUN, Status.FAILED, 12.5, {"train": KEY})
    ledger.end(end)

    assert ledger.sealed(RUN) == end


def test_a_run_begins_once(ledger: Ledger) -> None:
    ledger.begin(RECORD)
    with pytest.raises(KeyTaken):
        ledger.begin(RECORD)


def test_the_first_seal_counts(ledger: Ledger) -> None:
    first = End(RUN, Status.FAILED, 1.0, {})
    for end in (first, End(RUN, Status.COMPLETED, 2.0, {})):
        ledger.end(end)

    assert ledger.sealed(RUN) == first


def test_what_is_not_written_is_not_there(ledger: Ledger) -> None:
    assert ledger.step(RUN, "train") is None
    assert ledger.sealed(RUN) is None
    assert ledger.attempts(RUN, "train") == []
    assert ledger.cached(KEY) is None
    assert ledger.runs() == []
    with pytest.raises(NotFound, match=f"There is no run '{RUN}' in "):
        ledger.run(RUN)


def test_a_result_is_one_file_with_two_names(ledger: Ledger) -> None:
    ledger.finish(STEP, reusable=True)
    names = [Path(ledger.store.path, cache_key(KEY)), *Path(ledger.store.path).rglob("train.json")]

    assert len({name.stat().st_ino for name in names}) == 1
    assert ledger.cached(KEY) == ledger.step(RUN, "train")


def test_what_may_not_be_reused_is_not_in_the_cache(ledger: Ledger) -> None:
    ledger.finish(STEP, reusable=False)

    assert ledger.step(RUN, "train") is not None
    assert ledger.cached(KEY) is None


def test_the_digest_of_a_record_is_that_of_its_file(ledger: Ledger) -> None:
    digest = ledger.finish(STEP, reusable=True)

    assert digest == ledger.step_digest(RUN, "train")


def test_attempts_are_in_the_order_of_time(ledger: Ledger) -> None:
    for moment in (3.0, 1.0, 2.0, 1e9):
        ledger.attempt(replace(STEP, started=moment, status=Status.FAILED), nonce(moment))

    assert [found.started for found in ledger.attempts(RUN, "train")] == [1.0, 2.0, 3.0, 1e9]


def test_a_hit_is_read_through_the_cache(ledger: Ledger) -> None:
    ledger.finish(replace(STEP, run="20260101-000000-0000-0000", call="fit"), reusable=True)
    ledger.begin(replace(RECORD, hits={"train": KEY}))
    found = ledger.hit(RUN, "train")

    assert found is not None
    assert (found.run, found.call, found.status) == (RUN, "train", Status.CACHED)
    assert found.source == ("20260101-000000-0000-0000", "fit")


def test_a_result_that_is_to_replace_another_takes_its_place(ledger: Ledger) -> None:
    ledger.finish(replace(STEP, wall=1.0), reusable=True)
    ledger.finish(replace(STEP, run=OTHER, wall=2.0), reusable=True)
    assert ledger.cached(KEY).wall == 1.0  # type: ignore[union-attr]

    ledger.finish(replace(STEP, call="fit", wall=3.0), reusable=True, replaces=True)

    assert ledger.cached(KEY).wall == 3.0  # type: ignore[union-attr]
    assert ledger.step(RUN, "train").wall == 1.0  # type: ignore[union-attr]
    assert ledger.step(RUN, "fit").wall == 3.0  # type: ignore[union-attr]


def test_what_replaces_nothing_is_in_the_cache_as_well(ledger: Ledger) -> None:
    ledger.finish(STEP, reusable=True, replaces=True)

    assert ledger.cached(KEY) is not None


def test_what_may_not_be_reused_replaces_nothing(ledger: Ledger) -> None:
    ledger.finish(STEP, reusable=True)
    ledger.finish(replace(STEP, call="fit", wall=3.0), reusable=False, replaces=True)

    assert ledger.cached(KEY).call == "train"  # type: ignore[union-attr]


def test_the_newest_run_is_the_first(ledger: Ledger) -> None:
    ids = [new_run_id(moment) for moment in (1e9, 2e9, 1.5e9)]
    for id in ids:
        ledger.begin(replace(RECORD, run=id))

    assert ledger.runs() == [ids[1], ids[2], ids[0]]


def test_what_others_leave_among_the_runs_is_no_run(ledger: Ledger) -> None:
    ledger.begin(RECORD)
    runs = Path(ledger.store.path, "runs")
    for name in (".Trash-0", "a-folder", "naïve"):
        (runs / name).mkdir()
    for name in (".DS_Store", "20261122-005412-k3fq-0000"):
        (runs / name).touch()

    assert ledger.runs() == [RUN]


def pickle(data: bytes) -> StepRun:
    return replace(STEP, outputs={"output": inline(data, "pickle/1")})


def test_each_key_has_its_own_cached_pickles(tmp_path: Path) -> None:
    ours, theirs = ledger_of(tmp_path), ledger_of(tmp_path, "theirs")
    ours.finish(pickle(b"ours"), reusable=True)
    theirs.finish(replace(pickle(b"theirs"), run=OTHER), reusable=True)

    found = [ledger.cached(KEY) for ledger in (ours, theirs, ours)]
    assert [run.outputs["output"].data for run in found if run] == [b"ours", b"theirs", b"ours"]
    assert all(run.verified for run in found if run)


def test_what_is_no_pickle_is_shared_by_all_keys(tmp_path: Path) -> None:
    ours, theirs = ledger_of(tmp_path), ledger_of(tmp_path, "theirs")
    ours.finish(STEP, reusable=True)
    theirs.finish(replace(STEP, run=OTHER), reusable=True)

    found = theirs.cached(KEY)
    assert found is not None
    assert (found.run, found.verified, found.signer) == (RUN, False, ours.keys.signing.id)


def test_an_entry_that_is_forgotten_makes_room(ledger: Ledger) -> None:
    ledger.finish(STEP, reusable=True)
    ledger.forget(KEY)
    ledger.forget(KEY)

    assert ledger.cached(KEY) is None
    assert ledger.step(RUN, "train") is not None


# What lies in a store may be anything.


def record_of(ledger: Ledger, name: str) -> Path:
    return Path(ledger.store.path, "runs", RUN, name)


READERS: dict[str, Callable[..., Any]] = {
    "run.json": lambda ledger, run=RUN: ledger.run(run),
    "end.json": lambda ledger, run=RUN: ledger.sealed(run),
    "steps/train.json": lambda ledger, run=RUN: ledger.step(run, "train"),
    "attempts/train/one.json": lambda ledger, run=RUN: ledger._step_of(
        run, "train", f"runs/{run}/attempts/train/one.json"
    ),
}


@pytest.fixture
def whole(ledger: Ledger) -> dict[str, bytes]:
    """A run with one record of each kind, and what they are in the store."""
    ledger.begin(RECORD)
    ledger.finish(STEP, reusable=True)
    ledger.attempt(replace(STEP, failure=Failure("E", "m", "t"), source=("a", "b")), "one")
    ledger.end(End(RUN, Status.COMPLETED, 2.0, {"train": KEY}))
    return {name: record_of(ledger, name).read_bytes() for name in READERS}


@pytest.mark.parametrize("name", READERS)
def test_one_other_bit_in_a_record_is_noticed(
    ledger: Ledger, whole: dict[str, bytes], name: str
) -> None:
    file, data = record_of(ledger, name), whole[name]
    found = READERS[name](ledger)
    signature = data.rindex(b"\n", 0, -1)
    for position in range(signature):
        file.write_bytes(bytes([*data[:position], data[position] ^ 4, *data[position + 1 :]]))
        with pytest.raises(CorruptArtifact, match=f"runs/{RUN}/{name} in "):
            READERS[name](ledger)
    file.write_bytes(data)

    assert READERS[name](ledger) == found


@pytest.mark.parametrize("name", READERS)
def test_a_record_that_was_cut_short_is_noticed(
    ledger: Ledger, whole: dict[str, bytes], name: str
) -> None:
    for length in range(0, len(whole[name]), 7):
        record_of(ledger, name).write_bytes(whole[name][:length])
        with pytest.raises(CorruptArtifact, match=f"runs/{RUN}/{name} in "):
            READERS[name](ledger)


@pytest.mark.parametrize("name", READERS)
def test_a_record_of_another_run_is_noticed(
    ledger: Ledger, whole: dict[str, bytes], name: str
) -> None:
    other = Path(str(record_of(ledger, name)).replace(RUN, OTHER))
    other.parent.mkdir(parents=True)
    other.write_bytes(whole[name])
    with pytest.raises(CorruptArtifact, match=f"runs/{OTHER}/{name} in .* '{RUN}'"):
        READERS[name](ledger, OTHER)


def test_a_damaged_cache_entry_is_a_miss_until_the_next_result(ledger: Ledger) -> None:
    ledger.finish(STEP, reusable=True)
    file = Path(ledger.store.path, cache_key(KEY))
    file.write_bytes(file.read_bytes()[:50])
    assert ledger.cached(KEY) is None

    ledger.finish(replace(STEP, run=OTHER), reusable=True)
    found = ledger.cached(KEY)
    assert found is not None
    assert found.run == OTHER


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def use(found: Any) -> list[object]:
    """What readers do with a record."""
    done: list[object] = []
    for run in found if isinstance(found, list) else [found]:
        if isinstance(run, StepRun):
            done += [run.started + run.wall + run.cpu, run.peak_memory + run.read + run.written]
            done += ["".join([run.run, run.call, run.step, run.key, *(run.source or ())])]
            done += [run.failure and run.failure.message + run.failure.traceback]
            for item in run.outputs.values():
                done += ["".join([item.format, item.digest, item.code, *item.names]), -item.size]
        elif isinstance(run, RunRecord):
            done += ["".join([*run.calls, *run.hits, *run.hits.values(), *run.parameters.values()])]
            done += [run.user + run.host + run.stack, run.started + run.process]
        else:
            done += [run.ended + 1.0, "".join(run.steps.values())]
    return done


@several
@given(st.data())
@pytest.mark.parametrize("name", READERS)
def test_a_record_that_holds_anything_raises_our_own_errors_only(
    ledger: Ledger, whole: dict[str, bytes], name: str, data: st.DataObject
) -> None:
    """Signed with a key that counts, as another version with a defect would."""
    first, *rest = whole[name].split(b"\n")[:-2]
    place = read = json.loads(first)
    while True:  # somewhere in the record, also deep inside
        key = data.draw(st.sampled_from(sorted(place)))
        if not (isinstance(place[key], dict) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    if data.draw(st.booleans()):
        place[key] = data.draw(anything)
    else:
        del place[key]
    record = b"\n".join([json.dumps(read).encode(), *rest])
    record_of(ledger, name).write_bytes(ledger.keys.sign(record))
    try:
        found = READERS[name](ledger)
    except PenstockError:
        return
    assert use(found) is not None


@pytest.mark.parametrize(
    "changes",
    [
        *({"digest": wrong} for wrong in ("", 5, None, "x" * 64, "../../passwd", "AB" * 32)),
        *({"size": wrong} for wrong in ("1", None, 1.0, True, [])),
        *({"format": None}, {"code": 5}, {"names": [5]}, {"names": None}, {"text": 5}),
        *({"text": "\ud800"}, {"base64": None, "text": None}),
    ],
)
def test_an_output_that_describes_no_artifact_is_corrupt(
    ledger: Ledger, whole: dict[str, bytes], changes: dict[str, Any]
) -> None:
    first, *rest = whole["steps/train.json"].split(b"\n")[:-2]
    read = json.loads(first)
    read["outputs"]["output"] |= changes
    record = b"\n".join([json.dumps(read).encode(), *rest])
    record_of(ledger, "steps/train.json").write_bytes(ledger.keys.sign(record))
    with pytest.raises(CorruptArtifact, match=r"steps/train.json in .* cannot be read: "):
        ledger.step(RUN, "train")


@several
@given(st.binary(max_size=60) | anything.map(json.dumps).map(str.encode))
@pytest.mark.parametrize("name", READERS)
def test_any_bytes_under_a_signature_are_corrupt(
    ledger: Ledger, whole: dict[str, bytes], name: str, data: bytes
) -> None:
    assert data != whole[name]
    record_of(ledger, name).write_bytes(ledger.keys.sign(data))
    with pytest.raises(CorruptArtifact):
        READERS[name](ledger)


def test_a_record_may_hold_more_than_this_version_knows(
    ledger: Ledger, whole: dict[str, bytes]
) -> None:
    read = json.loads(whole["run.json"].split(b"\n")[0])
    data = ledger.keys.sign(json.dumps({**read, "of tomorrow": 1}).encode())
    record_of(ledger, "run.json").write_bytes(data)

    assert ledger.run(RUN) == RECORD


# Which store it is.


TOMORROW = b'{"version": 2, "layout": "another"}'


@step
def one() -> bytes:
    return b"1" * 5000


@pipeline
def single() -> bytes:
    return one()


def test_nothing_is_written_to_a_store_from_a_later_version(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.store.put("store.json", [TOMORROW])
    stack = Stack("test", orchestrator=LocalOrchestrator(), artifact_store=ledger.store)
    with pytest.raises(StoreTooNew):
        single.on(stack).run()

    assert [entry.key for entry in ledger.store.keys("")] == ["store.json"]
    assert capsys.readouterr().err == ""


def test_records_of_another_store_do_not_count(ledger: Ledger) -> None:
    ledger.finish(STEP, reusable=True)
    ledger.store.put("store.json", [b'{"version": 1, "id": "another"}'])
    found = Ledger(ledger.store).step(RUN, "train")

    assert found is not None
    assert found.verified is False


# Names.


@given(st.lists(st.integers(0, 4 * 10**15), min_size=2, max_size=8, unique=True))
def test_run_ids_are_in_the_order_of_time(microseconds: list[int]) -> None:
    moments = sorted({moment // 2 / 1e6 for moment in microseconds})
    ids = [new_run_id(moment) for moment in moments]

    assert [id[:20] for id in ids] == sorted(id[:20] for id in ids)


@given(st.floats(0, 4e9))
def test_a_run_id_is_short_to_type(moment: float) -> None:
    assert PATTERN.fullmatch(new_run_id(moment))


def test_run_ids_of_one_moment_differ() -> None:
    assert len({new_run_id(1e9) for _ in range(100)}) > 95


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_nonces_are_in_the_order_of_time(one: float, other: float) -> None:
    first, second = sorted([one, other])

    assert nonce(first)[:12] <= nonce(second)[:12]


def test_a_strangers_key_is_no_reason_to_hide_a_run(tmp_path: Path) -> None:
    ledger_of(tmp_path, "theirs").begin(RECORD)

    assert ledger_of(tmp_path).run(RUN) == replace(RECORD, verified=False)


def test_a_record_says_who_signed_it(tmp_path: Path) -> None:
    theirs = ledger_of(tmp_path, "theirs")
    theirs.finish(STEP, reusable=True)
    assert theirs.keys.signing == Key.of("theirs")

    found = ledger_of(tmp_path).step(RUN, "train")
    assert found is not None
    assert (found.signer, found.verified) == (Key.of("theirs").id, False)
