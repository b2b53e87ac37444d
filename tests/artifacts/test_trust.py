"""Who can write to a store cannot run code: each attack has a canary, and one of them sings."""

import base64
import json
import os
import pickle
import stat
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import children
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts import trust
from penstock.artifacts.formats.framed import framed
from penstock.artifacts.formats.registry import materializer
from penstock.artifacts.materializer import Composite
from penstock.artifacts.objects import object_key
from penstock.artifacts.store import Buffer
from penstock.artifacts.trust import Key, Keyring, keyring
from penstock.artifacts.values import Code, Trust, Values
from penstock.digest import of_buffers
from penstock.errors import (
    BadConfiguration,
    CorruptArtifact,
    MissingReference,
    NotFound,
    UntrustedArtifact,
)
from penstock.model.component import Secret
from penstock.model.records import Part
from penstock.runtime import loading
from penstock.runtime.run import Run

Record = dict[str, Any]


class Canary:
    """Sings when it is unpickled: a file appears."""

    def __init__(self, song: str) -> None:
        self.song = song

    def __reduce__(self) -> Any:
        return open, (self.song, "w")


def refuse(buffers: object) -> Any:
    raise AssertionError("there are no buffers")


def pickled(song: Path, tag: int = 0) -> bytes:
    stream = pickle.dumps(Canary(str(song)), protocol=5)
    return b"".join(map(bytes, framed(tag, [stream], [], refuse)))


def artifact(data: bytes, format: str = "pickle/1") -> Record:
    """How a record describes it."""
    inline = base64.b64encode(data).decode()
    return {"format": format, "digest": of_buffers([data]), "size": len(data), "base64": inline}


@step
def bird(song: str) -> object:
    return Canary(song)


@step
def number(song: str) -> int:
    return 42


@step
def raw(song: str) -> bytes:
    """Harmless as long as they are bytes."""
    return pickled(Path(song))


@step
def half(number: object) -> object:
    return number


@pipeline(progress=False)
def cage(song: str) -> Any:
    return bird(song), half(number(song)), raw(song)


@pipeline(progress=False)
def visit(thing: object) -> Any:
    return half(thing)


class Place:
    """A store, a run in it, and a file that must not appear."""

    def __init__(self, folder: Path) -> None:
        self.song = folder / "song"
        self.store = LocalArtifactStore(path=str(folder / "store"), signing_key=Secret("ours"))
        self.id = self.run().id

    def stack(self, **options: Any) -> Stack:
        store = replace(self.store, **options)
        return Stack("test", orchestrator=LocalOrchestrator(), artifact_store=store)

    def run(self, **options: Any) -> Run[Any]:
        return cage.on(self.stack(**options)).run(str(self.song))

    def seen(self, **options: Any) -> Run[Any]:
        """The run as another process sees it."""
        return Client(self.stack(**options)).run(self.id)

    def step(self, call: str) -> Path:
        return Path(self.store.path, "runs", self.id, "steps", f"{call}.json")

    def entry(self, call: str) -> Path:
        key = json.loads(self.step(call).read_bytes().split(b"\n")[0])["key"]
        return Path(self.store.path, "cache", key[:2], key)

    def object(self, digest: str) -> Path:
        return Path(self.store.path, object_key(digest))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def write(file: Path, data: bytes) -> None:
    """Write a file anew: a record and its cache entry may be one file with two names."""
    file.unlink(missing_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def edit(file: Path, signed: str | None = None, **changes: Any) -> None:
    """Change a record under its old signature, or sign it with another key."""
    first, *rest = file.read_bytes().split(b"\n")
    lines = [json.dumps({**json.loads(first), **changes}).encode(), *rest]
    data = b"\n".join(lines)
    if signed is not None:
        data = Keyring(Key.of(signed), {}).sign(b"\n".join(lines[:-2]))
    write(file, data)


def changed_output(file: Path, **changes: Any) -> Record:
    [(name, output)] = json.loads(file.read_bytes().split(b"\n")[0])["outputs"].items()
    return {name: {**output, **changes}}


def without_signature(place: Place) -> None:
    file = place.step("bird")
    write(file, b"\n".join(file.read_bytes().split(b"\n")[:-2]) + b"\n")


def empty_signature(place: Place) -> None:
    file = place.step("bird")
    lines = file.read_bytes().split(b"\n")
    write(file, b"\n".join([*lines[:-2], b'{"key":"","mac":""}', b""]))


def signature_of_another(place: Place) -> None:
    file = place.step("bird")
    other = place.step("number").read_bytes().split(b"\n")
    write(file, b"\n".join([*file.read_bytes().split(b"\n")[:-2], *other[-2:]]))


def record_of_another_step(place: Place) -> None:
    write(place.step("bird"), place.step("raw").read_bytes())


def record_of_another_run(place: Place) -> None:
    other = cage.on(place.stack()).with_options(cache=False).run(str(place.song)).id
    file = place.step("bird")
    write(file, Path(str(file).replace(place.id, other)).read_bytes())


def bytes_called_a_pickle(place: Place) -> None:
    file = place.step("raw")
    edit(file, outputs=changed_output(file, format="pickle/1"))
    write(place.step("bird"), file.read_bytes())


def other_bytes(place: Place) -> None:
    edit(place.step("bird"), outputs={"output": artifact(pickled(place.song) + b"")})


def other_size(place: Place) -> None:
    edit(place.step("bird"), outputs=changed_output(place.step("bird"), size=3))


def other_step_named(place: Place) -> None:
    edit(place.step("bird"), step="os:system")


@pytest.mark.parametrize(
    "attack",
    [
        without_signature,
        empty_signature,
        signature_of_another,
        record_of_another_step,
        record_of_another_run,
        bytes_called_a_pickle,
        other_bytes,
        other_size,
        other_step_named,
    ],
)
def test_a_record_that_was_changed_is_corrupt(
    place: Place, attack: Callable[[Place], None]
) -> None:
    attack(place)
    with pytest.raises(CorruptArtifact, match=f"runs/{place.id}/steps/bird.json"):
        place.seen()["bird"].output.load()

    assert not place.song.exists()


def signed_by_a_stranger(place: Place) -> None:
    edit(place.step("bird"), signed="theirs")


def implanted_by_a_stranger(place: Place) -> None:
    edit(place.step("bird"), signed="theirs", outputs={"output": artifact(pickled(place.song))})


def relabelled_by_a_stranger(place: Place) -> None:
    outputs = changed_output(place.step("raw"), format="pickle/1")
    edit(place.step("bird"), signed="theirs", outputs=outputs)


def object_of_a_stranger(place: Place) -> None:
    data = pickled(place.song)
    described = artifact(data)
    del described["base64"]
    write(place.object(described["digest"]), data)
    edit(place.step("bird"), signed="theirs", outputs={"output": described})


def cloudpickle_of_a_stranger(place: Place) -> None:
    data = pickled(place.song, tag=sys.version_info[1])
    outputs = {"output": artifact(data, "cloudpickle/1")}
    edit(place.step("bird"), signed="theirs", outputs=outputs)


def another_store(place: Place) -> None:
    write(Path(place.store.path, "store.json"), b'{"version": 1, "id": "another"}')


STRANGERS = [
    signed_by_a_stranger,
    implanted_by_a_stranger,
    relabelled_by_a_stranger,
    object_of_a_stranger,
    cloudpickle_of_a_stranger,
    another_store,
]


@pytest.mark.parametrize("attack", STRANGERS)
def test_a_pickle_of_a_stranger_is_not_loaded(
    place: Place, attack: Callable[[Place], None]
) -> None:
    attack(place)
    with pytest.raises(UntrustedArtifact, match="loading it could run anything"):
        place.seen()["bird"].output.load()

    assert not place.song.exists()


@pytest.mark.parametrize("attack", STRANGERS)
def test_a_pickle_of_a_stranger_reaches_no_step(
    place: Place, attack: Callable[[Place], None]
) -> None:
    attack(place)
    given = place.seen()["bird"].output
    with pytest.raises(Exception, match="UntrustedArtifact: Output 'output' of step bird"):
        visit.on(place.stack()).run(given)

    assert not place.song.exists()


@pytest.mark.parametrize("attack", STRANGERS)
def test_the_canary_sings_where_any_pickle_may_be_loaded(
    place: Place, attack: Callable[[Place], None]
) -> None:
    attack(place)
    place.seen(allow_pickle="any")["bird"].output.load().close()

    assert place.song.exists()


class Crate:
    """A value of several objects, one of which is a pickle."""


@materializer(Crate)
class CrateFormat(Composite[Crate]):
    format: ClassVar[str] = "crate-of-the-trust-tests/1"
    runs_code: ClassVar[bool] = True

    def dump(self, value: Crate, put: Callable[[Sequence[Buffer]], Part]) -> Sequence[Buffer]:
        return [b"a crate"]

    def load(self, data: Buffer, get: Callable[[Part], Buffer], folder: Path) -> Crate:
        return Crate()

    def parts(self, data: Buffer) -> Sequence[Part]:
        return ()


def test_a_value_of_several_objects_can_run_code_too(place: Place) -> None:
    values = Values(place.store, lambda names: Code())
    saved = values.save(Crate(), Crate, "The crate")
    with pytest.raises(UntrustedArtifact):
        values.load(saved, Crate, "The crate", Path, Trust(False))

    assert isinstance(values.load(saved, Crate, "The crate", Path, Trust(True)), Crate)


def test_what_we_signed_ourselves_is_loaded(place: Place) -> None:
    place.seen()["bird"].output.load().close()

    assert place.song.exists()


def test_not_even_that_where_pickles_are_never_loaded(place: Place) -> None:
    with pytest.raises(UntrustedArtifact) as caught:
        place.seen(allow_pickle="never")["bird"].output.load()

    assert str(caught.value) == (
        f"Output 'output' of step bird in run {place.id} is a pickle (pickle/1), and the artifact "
        "store 'local' says allow_pickle: never."
    )
    assert not place.song.exists()


def test_an_untrusted_pickle_is_said_with_signer_and_cures(place: Place) -> None:
    signed_by_a_stranger(place)
    with pytest.raises(UntrustedArtifact) as caught:
        place.seen()["bird"].output.load()

    assert str(caught.value) == (
        f"Output 'output' of step bird in run {place.id} is a pickle (pickle/1), signed with key "
        f"{Key.of('theirs').id}, which does not count here: loading it could run anything.\n"
        "Give the store the signing_key of whoever made it, run the step again, or set "
        "allow_pickle: any if everybody who can write there may run code here."
    )


def test_values_that_cannot_run_code_need_no_signature(place: Place) -> None:
    edit(place.step("number"), signed="theirs")

    assert place.seen()["number"].output.load() == 42


@pytest.mark.parametrize("signed", [None, "theirs"])
def test_a_cache_entry_of_a_stranger_reaches_no_step(place: Place, signed: str | None) -> None:
    outputs = {"output": artifact(pickled(place.song))}
    edit(place.entry("number"), signed=signed, outputs=outputs)

    run = place.run()
    assert run["number"].status == "completed"
    assert run["half"].output.load() == 42
    assert not place.song.exists()


def test_a_cache_entry_under_a_wrong_name_is_a_miss(place: Place) -> None:
    write(place.entry("number"), place.entry("raw").read_bytes())
    run = place.run()

    assert run["number"].status == "completed"
    assert run["number"].output.load() == 42


def test_the_next_run_puts_a_damaged_cache_entry_right(place: Place) -> None:
    edit(place.entry("number"), wall=0)
    statuses = [place.run()["number"].status for _ in range(2)]

    assert statuses == ["completed", "cached"]


def plan_with(place: Place, thing: Record) -> bytes:
    digest = place.seen().record.plan
    plan = json.loads(place.object(digest).read_bytes())
    return json.dumps({**plan, "result": {"held": thing, "origin": None, "vouched": True}}).encode()


def test_a_plan_that_was_replaced_is_corrupt(place: Place) -> None:
    evil = plan_with(place, artifact(pickled(place.song)))
    write(place.object(place.seen().record.plan), evil)
    with pytest.raises(CorruptArtifact, match=f"The plan of run {place.id}"):
        place.seen().result()

    assert not place.song.exists()


def test_another_plan_is_no_reason_to_unpickle(place: Place) -> None:
    evil = plan_with(place, artifact(pickled(place.song)))
    write(place.object(of_buffers([evil])), evil)
    run = Path(place.store.path, "runs", place.id, "run.json")
    edit(run, signed="theirs", plan=of_buffers([evil]))
    with pytest.raises(UntrustedArtifact):
        place.seen().result()

    assert not place.song.exists()


def test_a_run_record_of_another_run_is_corrupt(place: Place) -> None:
    other = place.run().id
    run = Path(place.store.path, "runs", place.id, "run.json")
    write(run, Path(str(run).replace(place.id, other)).read_bytes())
    with pytest.raises(CorruptArtifact, match=f"it is of the run '{other}'"):
        place.seen()


@pytest.mark.parametrize(
    "reference", ["os:system", "builtins:exec", "os:path.join", "evil:touch", "evil:Touch", ""]
)
def test_a_name_from_a_store_leads_to_a_step_or_to_nothing(reference: str) -> None:
    with pytest.raises((NotFound, ValueError)):
        loading.find_step(reference)


def test_reading_imports_no_module_that_a_record_names(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(place.song)!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    edit(place.step("number"), signed="theirs", step="evil:touch")
    run = Path(place.store.path, "runs", place.id, "run.json")
    edit(run, signed="theirs", reference="evil:touch")

    assert place.seen()["number"].output.load() == 42
    assert place.seen().result is not None
    assert "evil" not in sys.modules
    assert not place.song.exists()


@given(st.binary())
def test_a_signature_is_recognised(record: bytes) -> None:
    ours, theirs = Key.of("ours"), Key.of("theirs")
    signed = Keyring(ours, {}).sign(record)

    assert Keyring(theirs, {ours.id: ours}).verify(signed) == (record, ours.id, True)
    assert Keyring(theirs, {theirs.id: theirs}).verify(signed) == (record, ours.id, False)


@given(st.binary(max_size=40), st.data())
def test_one_other_bit_is_no_signature_of_ours(record: bytes, data: st.DataObject) -> None:
    ours = Key.of("ours")
    keys = Keyring(ours, {ours.id: ours})
    signed = bytearray(keys.sign(record))
    signed[data.draw(st.integers(0, len(signed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        _, _, verified = keys.verify(bytes(signed))
    except ValueError:
        return
    assert not verified


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a signed record"):
        Keyring(Key.of("ours"), {}).verify(data)


def store_with(key: Any) -> LocalArtifactStore:
    return LocalArtifactStore(path="store", signing_key=key)


def test_of_several_keys_the_first_signs_and_all_verify() -> None:
    old, both = keyring(store_with("old")), keyring(store_with(["new", "old"]))

    assert both.verify(old.sign(b"x"))[2] is True
    assert both.signing == Key.of("new")
    assert old.verify(both.sign(b"x"))[2] is False


def test_a_key_may_be_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", "ours")

    assert keyring(store_with(Secret("${env:TEAM_KEY}"))).signing == Key.of("ours")


def test_a_key_that_refers_to_nothing_is_said() -> None:
    with pytest.raises(MissingReference, match="'TEAM_KEY' is not set"):
        keyring(store_with("${env:TEAM_KEY}"))


def test_an_empty_key_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", "")
    with pytest.raises(BadConfiguration, match="'local' is empty: anybody could sign"):
        keyring(store_with("${env:TEAM_KEY}"))


def test_a_list_without_a_key_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="a list without a key"):
        store_with([])


def test_a_key_given_as_text_does_not_show() -> None:
    assert "ours" not in repr(store_with("ours")) + repr(store_with(["ours"]))
    assert "ours" not in repr(keyring(store_with("ours")))


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "penstock" / "key"


def test_the_users_own_key_is_kept_for_the_user_only(key_file: Path) -> None:
    signing = children.child(lambda: keyring(store_with(None)).signing.id, umask=0)

    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert signing == Key.of(key_file.read_text().strip()).id
    assert os.listdir(key_file.parent) == ["key"]


def test_processes_that_begin_at_once_have_one_key(key_file: Path) -> None:
    ids = children.at_once(lambda: keyring(store_with(None)).signing.id, 16)

    assert len(set(ids)) == 1
    assert os.listdir(key_file.parent) == ["key"]


def test_who_only_reads_makes_no_key(key_file: Path) -> None:
    assert keyring(store_with(None), make=False).known == {}
    assert not key_file.parent.exists()


def blocked(key_file: Path) -> None:
    """No folder can be made there, not even by root."""
    key_file.parent.parent.write_text("in the way")


def test_without_a_home_there_is_a_key_of_this_process(key_file: Path) -> None:
    blocked(key_file)
    keys = keyring(store_with(None))

    assert keys == keyring(store_with(None))
    assert keys.notice == (
        f"No signing key can be kept in {key_file} (Not a directory): pickles of this process can "
        "be loaded by this process only"
    )


def test_threads_share_the_key_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier = threading.Barrier(8)

    def ask(_: int) -> str:
        barrier.wait()
        return keyring(store_with(None)).signing.id

    (tmp_path / "file").touch()
    with ThreadPoolExecutor(8) as threads:
        for number in range(20):  # 20 users, none of them with a place for a key
            monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file" / str(number)))
            assert len(set(threads.map(ask, range(8)))) == 1


def test_a_process_tells_of_its_key_once(key_file: Path) -> None:
    blocked(key_file)
    keys = keyring(store_with(None))

    assert [trust.news(keys), trust.news(keys)] == [keys.notice, None]


def test_runs_without_a_home_say_so_once(
    key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked(key_file)
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    stack = Stack("test", orchestrator=LocalOrchestrator(), artifact_store=store)
    loud = visit.on(stack).with_options(progress=True)
    runs = [loud.run({1, 2}) for _ in range(2)]

    assert [run["half"].status for run in runs] == ["completed", "cached"]
    assert capsys.readouterr().err.count("No signing key can be kept in ") == 1


def test_a_user_without_a_home_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "~nobody-of-this-name/config")
    keys = keyring(store_with(None))

    assert keys.notice is not None
    assert "this user has no home" in keys.notice
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_key_file_that_holds_no_key_is_said(key_file: Path, content: bytes) -> None:
    key_file.parent.mkdir(parents=True)
    key_file.write_bytes(content)
    keys = keyring(store_with(None))

    assert keys.notice is not None
    assert str(key_file) in keys.notice


def test_the_key_follows_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for folder in "aba":
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / folder))
        found.append(keyring(store_with(None)).signing.id)

    assert found[0] == found[2] != found[1]
