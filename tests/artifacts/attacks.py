"""What somebody can do who may write to a store, but has no key: one function each.

`@attack(call, …)` says which output it is about, and what its owner is told who loads it: an error,
or nothing if the value is right. `sings`: with `allow_pickle: any` it would have run code, so that
the canary is known to be one. Where nothing else is said, the next run puts it right.
"""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scene_of_attacks import (
    OURS,
    THEIRS,
    Record,
    Scene,
    described,
    edit,
    lines_of,
    pickled,
    told_in,
    write,
)

from penstock.artifacts.objects import object_key
from penstock.artifacts.trust import Keyring
from penstock.errors import (
    CorruptArtifact,
    NoSuchKey,
    NotFound,
    PenstockError,
    StoreError,
    StoreTooNew,
    TypeMismatch,
    UnsupportedValue,
    UntrustedArtifact,
)

Do = Callable[[Scene], None]


@dataclass(frozen=True)
class Attack:
    """What is done, and what the owner is told who loads an output."""

    do: Do
    call: str
    told: tuple[type[PenstockError], ...]
    sings: bool = False
    stays: bool = False
    """Whether no run can put it right: somebody must clear it away."""


ATTACKS: dict[str, Attack] = {}


def attack(
    call: str, *told: type[PenstockError], sings: bool = False, stays: bool = False
) -> Callable[[Do], Do]:
    def add(do: Do) -> Do:
        ATTACKS[do.__name__] = Attack(do, call, told, sings, stays)
        return do

    return add


def relined(file: Path, *lines: bytes) -> None:
    write(file, b"".join(line + b"\n" for line in lines))


def output_of(file: Path, **changes: Any) -> Record:
    [(name, output)] = told_in(file)["outputs"].items()
    return {name: {**output, **changes}}


# Signatures


@attack("model", CorruptArtifact)
def no_signature(scene: Scene) -> None:
    relined(scene.record("model"), *lines_of(scene.record("model"))[0])


@attack("model", CorruptArtifact)
def an_empty_signature(scene: Scene) -> None:
    relined(scene.record("model"), *lines_of(scene.record("model"))[0], b'{"key":"","mac":""}')


@attack("model", CorruptArtifact)
def a_signature_cut_short(scene: Scene) -> None:
    lines, signature = lines_of(scene.record("model"))
    relined(scene.record("model"), *lines, signature[:-20] + b'"}')


@attack("model", CorruptArtifact)
def a_signature_in_capitals(scene: Scene) -> None:
    lines, signature = lines_of(scene.record("model"))
    mac = signature[-66:-2]
    relined(scene.record("model"), *lines, signature.replace(mac, mac.upper()))


@attack("model", CorruptArtifact)
def the_signature_of_another_record(scene: Scene) -> None:
    _, other = lines_of(scene.record("numbers"))
    relined(scene.record("model"), *lines_of(scene.record("model"))[0], other)


@attack("model", CorruptArtifact)
def our_key_and_their_signature(scene: Scene) -> None:
    lines, _ = lines_of(scene.record("model"))
    mac = THEIRS.mac(b"\n".join(lines))
    relined(scene.record("model"), *lines, b'{"key":"%b","mac":"%b"}'
            % (OURS.id.encode(), mac.encode()))  # fmt: skip


@attack("model", UntrustedArtifact)
def their_key_and_our_signature(scene: Scene) -> None:
    lines, signature = lines_of(scene.record("model"))
    relined(scene.record("model"), *lines,
            signature.replace(OURS.id.encode(), THEIRS.id.encode()))  # fmt: skip


@attack("model", UntrustedArtifact)
def their_signature_after_ours(scene: Scene) -> None:
    file = scene.record("model")
    write(file, Keyring(THEIRS, {}).sign(file.read_bytes()[:-1]))


@attack("model", CorruptArtifact)
def our_signature_after_theirs(scene: Scene) -> None:
    file = scene.record("model")
    lines, signature = lines_of(file)
    evil = {**json.loads(lines[0]), "outputs": described(pickled(scene.song), "pickle/1")}
    theirs = Keyring(THEIRS, {}).sign(json.dumps(evil).encode() + b"\n" + lines[1])
    write(file, theirs + signature + b"\n")


@attack("model", CorruptArtifact)
def a_second_record_before_ours(scene: Scene) -> None:
    """Only the first line is read, and all are signed."""
    file = scene.record("model")
    evil = {**told_in(file), "outputs": described(pickled(scene.song), "pickle/1")}
    write(file, json.dumps(evil).encode() + b"\n" + file.read_bytes())


# Records of pickles


@attack("model", CorruptArtifact)
def other_bytes_under_our_signature(scene: Scene) -> None:
    edit(scene.record("model"), outputs=described(pickled(scene.song), "pickle/1"))


@attack("model", UntrustedArtifact, sings=True)
def a_pickle_in_their_record(scene: Scene) -> None:
    edit(scene.record("model"), THEIRS, outputs=described(pickled(scene.song), "pickle/1"))


@attack("model", UntrustedArtifact, sings=True)
def a_cloudpickle_in_their_record(scene: Scene) -> None:
    data = pickled(scene.song, format="cloudpickle/1")
    edit(scene.record("model"), THEIRS, outputs=described(data, "cloudpickle/1"))


@attack("model", UntrustedArtifact)
def a_cloudpickle_of_another_python(scene: Scene) -> None:
    data = bytearray(pickled(scene.song, format="cloudpickle/1"))
    data[8:12] = (99).to_bytes(4, "little")
    edit(scene.record("model"), THEIRS, outputs=described(bytes(data), "cloudpickle/1"))


@attack("forest", UntrustedArtifact, sings=True)
def an_object_of_theirs_in_their_record(scene: Scene) -> None:
    data = pickled(scene.song, list(range(3000)))
    digest = scene.planted(data)
    output = {"format": "pickle/1", "digest": digest, "size": len(data)}
    edit(scene.record("forest"), THEIRS, outputs={"output": output})


@attack("forest", CorruptArtifact)
def an_object_of_theirs_under_our_name(scene: Scene) -> None:
    write(scene.object("forest"), pickled(scene.song, list(range(3000))))


@attack("forest", CorruptArtifact)
def an_object_of_theirs_of_the_right_size(scene: Scene) -> None:
    size = scene.object("forest").stat().st_size
    data = pickled(scene.song, list(range(500)))
    write(scene.object("forest"), data.ljust(size, b"."))


@attack("forest", CorruptArtifact)
def one_object_of_ours_in_the_place_of_another(scene: Scene) -> None:
    plan = scene.seen().record.plan
    write(scene.object("forest"), scene.file(object_key(plan)).read_bytes())


@attack("forest", CorruptArtifact)
def an_object_that_is_a_link_to_theirs(scene: Scene) -> None:
    theirs = scene.folder / "theirs"
    theirs.write_bytes(pickled(scene.song, list(range(3000))))
    scene.object("forest").unlink()
    scene.object("forest").symlink_to(theirs)


@attack("forest", NoSuchKey)
def an_object_that_is_a_link_to_a_device(scene: Scene) -> None:
    scene.object("forest").unlink()
    scene.object("forest").symlink_to("/dev/zero")


@attack("forest", NoSuchKey)
def an_object_that_is_a_pipe(scene: Scene) -> None:
    """Nobody writes into it: whoever opens it as it is would wait for ever."""
    scene.object("forest").unlink()
    os.mkfifo(scene.object("forest"))


@attack("forest", NoSuchKey, stays=True)
def an_object_that_is_a_folder(scene: Scene) -> None:
    scene.object("forest").unlink()
    scene.object("forest").mkdir()


@attack("forest", NoSuchKey, stays=True)
def an_object_that_is_a_link_to_itself(scene: Scene) -> None:
    scene.object("forest").unlink()
    scene.object("forest").symlink_to(scene.object("forest"))


@attack("forest", CorruptArtifact)
def another_part_of_a_pickle(scene: Scene) -> None:
    """The array of it is an object of its own, if the format has any."""
    large = [file for file in scene.file("objects").rglob("*") if file.stat().st_size > 1 << 20]
    assert large
    for file in large:
        data = bytearray(file.read_bytes())
        data[-8:] = bytes(8)
        write(file, bytes(data))


@attack("model", CorruptArtifact)
def the_record_of_another_step(scene: Scene) -> None:
    write(scene.record("model"), scene.record("forest").read_bytes())


@attack("model", CorruptArtifact)
def an_older_record_of_the_same_step(scene: Scene) -> None:
    write(scene.record("model"), scene.record("model", scene.older).read_bytes())


@attack("model", CorruptArtifact)
def our_bytes_called_a_pickle(scene: Scene) -> None:
    outputs = output_of(scene.record("raw"), format="pickle/1")
    edit(scene.record("model"), outputs=outputs)


@attack("raw", UntrustedArtifact, sings=True)
def our_bytes_called_a_pickle_by_them(scene: Scene) -> None:
    outputs = output_of(scene.record("raw"), format="pickle/1")
    edit(scene.record("raw"), THEIRS, outputs=outputs)


@attack("model", UntrustedArtifact, sings=True)
def the_record_of_our_bytes_as_another_step(scene: Scene) -> None:
    outputs = output_of(scene.record("raw"), format="pickle/1")
    edit(scene.record("raw"), THEIRS, outputs=outputs, call="model", step="model")
    write(scene.record("model"), scene.record("raw").read_bytes())


@attack("model", UntrustedArtifact)
def the_record_of_another_store(scene: Scene) -> None:
    """The owner's, and signed with the owner's key."""
    other = {**json.loads(lines_of(scene.record("model"))[0][0]), "store": "0" * 16}
    edit(scene.record("model"), OURS, **other)


@attack("model", UntrustedArtifact)
def another_id_of_the_store(scene: Scene) -> None:
    write(scene.file("store.json"), b'{"version": 1, "id": "another"}')


@attack("model", CorruptArtifact)
def the_seal_of_the_run_as_a_result(scene: Scene) -> None:
    write(scene.record("model"), scene.run("end.json").read_bytes())


@attack("model", CorruptArtifact)
def the_record_of_the_run_as_a_result(scene: Scene) -> None:
    write(scene.record("model"), scene.run().read_bytes())


@attack("model", CorruptArtifact)
def an_attempt_as_a_result_of_theirs(scene: Scene) -> None:
    edit(scene.record("model"), THEIRS, status="running for ever")


@attack("model", CorruptArtifact)
def outputs_of_two_steps_swapped(scene: Scene) -> None:
    for call, other in (("model", "forest"), ("forest", "model")):
        outputs = told_in(scene.record(other, scene.older))["outputs"]
        edit(scene.record(call), outputs=outputs)


@attack("model", UntrustedArtifact, sings=True)
def the_same_key_twice_in_their_record(scene: Scene) -> None:
    lines, _ = lines_of(scene.record("model"))
    evil = json.dumps({"outputs": described(pickled(scene.song), "pickle/1")})
    twice = lines[0][:-1] + b"," + evil.encode()[1:]
    write(scene.record("model"), Keyring(THEIRS, {}).sign(twice + b"\n" + lines[1]))


@attack("model", UntrustedArtifact, sings=True)
def a_step_of_another_name(scene: Scene) -> None:
    outputs = described(pickled(scene.song), "pickle/1")
    edit(scene.record("model"), THEIRS, outputs=outputs, step="os:system")


# The cache


@attack("model")
def a_pickle_in_their_cache_entry(scene: Scene) -> None:
    edit(scene.entry("model"), THEIRS, outputs=described(pickled(scene.song), "pickle/1"))


@attack("numbers")
def a_pickle_in_the_cache_entry_of_plain_data(scene: Scene) -> None:
    edit(scene.entry("numbers"), THEIRS, outputs=described(pickled(scene.song), "pickle/1"))


@attack("model")
def a_pickle_in_our_cache_entry(scene: Scene) -> None:
    edit(scene.entry("model"), outputs=described(pickled(scene.song), "pickle/1"))


@attack("model")
def cache_entries_swapped(scene: Scene) -> None:
    one, other = scene.entry("model"), scene.entry("forest")
    first, second = one.read_bytes(), other.read_bytes()
    write(one, second)
    write(other, first)


@attack("model")
def a_cache_entry_in_the_name_of_our_key(scene: Scene) -> None:
    entry = scene.entry("model")
    edit(entry, THEIRS, outputs=described(pickled(scene.song), "pickle/1"))
    write(entry.with_name(f"{entry.name}.{OURS.id}"), entry.read_bytes())


@attack("numbers")
def a_cache_entry_that_names_a_function(scene: Scene) -> None:
    edit(scene.entry("numbers"), THEIRS, step="os:system", call="os:system")


@attack("numbers")
def a_cache_entry_that_names_a_module_of_theirs(scene: Scene) -> None:
    outputs = output_of(scene.entry("numbers"), code="0" * 64,
                        names=["evil:touch", "os:system", "sys:modules", "", ":"])  # fmt: skip
    edit(scene.entry("numbers"), THEIRS, step="evil:touch", outputs=outputs)


@attack("numbers")
def a_cache_entry_that_came_from_outside(scene: Scene) -> None:
    edit(scene.entry("numbers"), THEIRS, source=["../../../etc", "passwd"])


@attack("numbers")
def a_cache_entry_that_is_a_pipe(scene: Scene) -> None:
    scene.entry("numbers").unlink()
    os.mkfifo(scene.entry("numbers"))


@attack("numbers")
def a_cache_entry_that_is_a_folder(scene: Scene) -> None:
    scene.entry("numbers").unlink()
    scene.entry("numbers").mkdir()


@attack("numbers", StoreError)
def hits_that_lead_out_of_the_cache(scene: Scene) -> None:
    scene.record("numbers").unlink()
    edit(scene.run(), THEIRS, hits={"numbers": "../../../../etc/passwd"})


# Plans


def evil_plan(scene: Scene, **changes: Any) -> None:
    """Their record of the run names their plan."""
    plan = json.loads(scene.file(object_key(scene.seen().record.plan)).read_bytes())
    digest = scene.planted(json.dumps({**plan, **changes}).encode())
    edit(scene.run(), THEIRS, plan=digest)


@attack("model")
def a_pickle_in_their_plan(scene: Scene) -> None:
    [thing] = described(pickled(scene.song), "pickle/1").values()
    evil_plan(scene, result={"held": thing, "origin": None, "vouched": True})


@attack("model")
def a_function_in_their_plan(scene: Scene) -> None:
    plan = json.loads(scene.file(object_key(scene.seen().record.plan)).read_bytes())
    steps = [[name, options] for name in ("os:system",) for _, options in plan["steps"]]
    evil_plan(scene, steps=steps, reference="os:system")


@attack("model")
def a_class_in_their_plan(scene: Scene) -> None:
    names = ['"__import__"', "\"a, b=__import__('os').mkdir('song')\""]
    evil_plan(scene, result={"named": [{"value": "1"}], "keys": names})


@attack("model")
def a_plan_that_is_none(scene: Scene) -> None:
    edit(scene.run(), THEIRS, plan=scene.planted(b"[" * 100_000))


@attack("model")
def a_plan_with_other_things_in_it(scene: Scene) -> None:
    evil_plan(scene, calls=[5, None, {}], result=[[]])


@attack("model", CorruptArtifact)
def a_plan_that_leads_out(scene: Scene) -> None:
    edit(scene.run(), THEIRS, plan="../../../etc/passwd", hits={"model": "x"})
    scene.record("model").write_bytes(b"")


@attack("model")
def another_plan_under_our_name(scene: Scene) -> None:
    write(scene.file(object_key(scene.seen().record.plan)), b'{"result": null}')


# Formats


@attack("grid", CorruptArtifact)
def an_array_called_a_pickle(scene: Scene) -> None:
    edit(scene.record("grid"), outputs=output_of(scene.record("grid"), format="pickle/1"))


@attack("grid", UntrustedArtifact, sings=True)
def a_pickle_in_the_place_of_an_array(scene: Scene) -> None:
    edit(scene.record("grid"), THEIRS, outputs=described(pickled(scene.song), "pickle/1"))


@attack("numbers", UntrustedArtifact, sings=True)
def a_pickle_in_the_place_of_plain_data(scene: Scene) -> None:
    edit(scene.record("numbers"), THEIRS, outputs=described(pickled(scene.song), "pickle/1"))


def npy(header: str, data: bytes) -> bytes:
    raw = header.encode()
    return b"\x93NUMPY\1\0" + len(raw).to_bytes(2, "little") + raw + data


@attack("grid", CorruptArtifact)
def an_array_of_objects(scene: Scene) -> None:
    evil = pickle.dumps(_Singing(str(scene.song)))
    data = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", evil)
    edit(scene.record("grid"), THEIRS, outputs=described(data, "npy/1"))


class _Singing:
    def __init__(self, song: str) -> None:
        self.song = song

    def __reduce__(self) -> Any:
        return os.mkdir, (self.song,)


@attack("grid", CorruptArtifact)
def an_array_whose_header_is_code(scene: Scene) -> None:
    code = f"__import__('os').mkdir({str(scene.song)!r})"
    edit(scene.record("grid"), THEIRS, outputs=described(npy(code, b""), "npy/1"))


@attack("grid", CorruptArtifact)
def an_array_of_too_many_numbers(scene: Scene) -> None:
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,), }\n"
    edit(scene.record("grid"), THEIRS, outputs=described(npy(header, bytes(8)), "npy/1"))


@attack("grid", UnsupportedValue)
def a_format_of_no_name(scene: Scene) -> None:
    edit(scene.record("grid"), THEIRS, outputs=output_of(scene.record("grid"), format=""))


@attack("grid", UnsupportedValue)
def a_format_that_is_a_module(scene: Scene) -> None:
    edit(scene.record("grid"), THEIRS, outputs=output_of(scene.record("grid"), format="evil:touch"))


@attack("grid", UnsupportedValue)
def a_format_that_is_a_path(scene: Scene) -> None:
    outputs = output_of(scene.record("grid"), format="../../../evil/1")
    edit(scene.record("grid"), THEIRS, outputs=outputs)


@attack("point", TypeMismatch)
def a_dataclass_of_another_class(scene: Scene) -> None:
    data = b'"evil:Touch"\n{"label":"a","numbers":[]}'
    edit(scene.record("point"), THEIRS, outputs=described(data, "dataclass/1"))


@attack("point", TypeMismatch)
def a_dataclass_that_is_a_function(scene: Scene) -> None:
    data = b'"os:system"\n{"command":"true"}'
    edit(scene.record("point"), THEIRS, outputs=described(data, "dataclass/1"))


@attack("settings", TypeMismatch)
def a_model_of_another_class(scene: Scene) -> None:
    data = b'"evil:Touch"\n{"label":"a","numbers":[]}'
    edit(scene.record("settings"), THEIRS, outputs=described(data, "pydantic/1"))


@attack("settings", CorruptArtifact)
def a_model_that_is_too_deep(scene: Scene) -> None:
    line = lines_of(scene.record("settings"))
    data = b'"samples_of_formats:Settings"\n{"label":' + b"[" * 100_000
    assert line
    edit(scene.record("settings"), THEIRS, outputs=described(data, "pydantic/1"))


@attack("numbers", CorruptArtifact)
def plain_data_that_is_too_deep(scene: Scene) -> None:
    edit(scene.record("numbers"), THEIRS, outputs=described(b"[" * 100_000, "json/1"))


@attack("numbers", CorruptArtifact)
def a_number_of_a_million_digits(scene: Scene) -> None:
    edit(scene.record("numbers"), THEIRS, outputs=described(b"9" * 1_000_000, "json/1"))


@attack("tree", UntrustedArtifact, sings=True)
def a_pickle_in_the_place_of_files(scene: Scene) -> None:
    edit(scene.record("tree"), THEIRS, outputs=described(pickled(scene.song), "pickle/1"))


# Files


def manifest(scene: Scene, **changes: Any) -> None:
    """Their record names a list of files of theirs."""
    [output] = told_in(scene.record("tree"))["outputs"].values()
    told = {**json.loads(output["text"]), **changes}
    edit(scene.record("tree"), THEIRS, outputs=described(json.dumps(told).encode(), "path/1"))


def a_file(scene: Scene, path: str) -> Record:
    digest = scene.planted(b"evil")
    return {"path": path, "digest": digest, "size": 4, "executable": False}


LEADING_OUT = {
    "upwards": "../song",
    "far_upwards": "b/../../song",
    "from_the_root": "/song",
    "to_a_drive": "C:song",
    "to_a_share": "\\\\host\\share\\song",
    "by_backslash": "..\\song",
    "by_a_nul": "a\0/../../song",
    "by_nothing": "",
    "by_a_dot": "./song",
    "by_a_slash_at_the_end": "song/",
    "to_its_own_folder": "..",
}


def leading_out(name: str, path: str) -> None:
    def a_file_that_leads(scene: Scene) -> None:
        path_here = path.replace("/song", str(scene.song)) if path == "/song" else path
        manifest(scene, files=[a_file(scene, path_here)], folders=[], links=[])

    def a_folder_that_leads(scene: Scene) -> None:
        path_here = str(scene.song) if path == "/song" else path
        manifest(scene, folders=[path_here])

    for do in (a_file_that_leads, a_folder_that_leads):
        do.__name__ = f"{do.__name__}_{name}"
        attack("tree", CorruptArtifact)(do)


for _name, _path in LEADING_OUT.items():
    leading_out(_name, _path)


@attack("tree", CorruptArtifact)
def a_tree_whose_name_leads_out(scene: Scene) -> None:
    manifest(scene, name="../song")


@attack("tree", CorruptArtifact)
def a_link_that_leads_out(scene: Scene) -> None:
    manifest(scene, links=[{"path": "link", "target": "../../song"}])


@attack("tree", CorruptArtifact)
def a_link_to_the_root(scene: Scene) -> None:
    manifest(scene, links=[{"path": "link", "target": "/etc/passwd"}])


@attack("tree", CorruptArtifact)
def a_file_behind_a_link(scene: Scene) -> None:
    manifest(scene, links=[{"path": "b", "target": "c"}], files=[a_file(scene, "b/song")])


@attack("tree", CorruptArtifact)
def a_link_behind_a_link(scene: Scene) -> None:
    links = [{"path": "one", "target": "b"}, {"path": "two", "target": "one/../../song"}]
    manifest(scene, links=links)


@attack("tree", CorruptArtifact)
def a_file_twice(scene: Scene) -> None:
    manifest(scene, files=[a_file(scene, "a"), a_file(scene, "a")])


@attack("tree", CorruptArtifact)
def a_file_that_is_no_object(scene: Scene) -> None:
    manifest(scene, files=[{**a_file(scene, "a"), "digest": "../../store.json"}])


@attack("tree", CorruptArtifact)
def a_file_of_another_size(scene: Scene) -> None:
    manifest(scene, files=[{**a_file(scene, "a"), "size": 2**62}])


@attack("tree", CorruptArtifact)
def another_file_under_our_name(scene: Scene) -> None:
    [output] = told_in(scene.record("tree"))["outputs"].values()
    for entry in json.loads(output["text"])["files"]:
        write(scene.file(object_key(entry["digest"])), b"evil"[: entry["size"]])


# What is listed


@attack("numbers", CorruptArtifact)
def a_size_beyond_all_measure(scene: Scene) -> None:
    outputs = output_of(scene.record("numbers"), size=2**80)
    edit(scene.record("numbers"), THEIRS, outputs=outputs)


@attack("numbers", CorruptArtifact)
def a_size_below_nothing(scene: Scene) -> None:
    edit(scene.record("numbers"), THEIRS, outputs=output_of(scene.record("numbers"), size=-1))


@attack("numbers", CorruptArtifact)
def times_beyond_all_measure(scene: Scene) -> None:
    edit(scene.record("numbers"), THEIRS, started=1e300, wall=-1e300, cpu=1e308,
         peak_memory=2**80, read=-(2**80), written=2**80, attempt=2**80)  # fmt: skip


@attack("numbers", CorruptArtifact)
def times_that_are_no_numbers(scene: Scene) -> None:
    edit(scene.record("numbers"), THEIRS, started=float("nan"), wall=float("inf"),
         cpu=float("-inf"))  # fmt: skip


@attack("numbers", CorruptArtifact)
def a_run_beyond_all_time(scene: Scene) -> None:
    edit(scene.run(), THEIRS, started=1e300)


@attack("numbers", CorruptArtifact)
def a_run_at_no_time(scene: Scene) -> None:
    edit(scene.run(), THEIRS, started=float("nan"))


@attack("numbers")
def a_run_that_ended_beyond_all_time(scene: Scene) -> None:
    edit(scene.run("end.json"), THEIRS, ended=1e300)


@attack("numbers", CorruptArtifact)
def a_process_beyond_all_numbers(scene: Scene) -> None:
    scene.run("end.json").unlink()
    scene.record("told").unlink()
    edit(scene.run(), THEIRS, process=2**80)


@attack("numbers")
def a_process_that_no_machine_has(scene: Scene) -> None:
    scene.run("end.json").unlink()
    scene.record("told").unlink()
    edit(scene.run(), THEIRS, process=2**40)


@attack("numbers")
def every_process_there_is(scene: Scene) -> None:
    scene.run("end.json").unlink()
    scene.record("told").unlink()
    edit(scene.run(), THEIRS, process=-1)


@attack("numbers")
def names_that_a_terminal_obeys(scene: Scene) -> None:
    said = "\x1b]0;evil\x07\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m\r<script>evil()</script>&\u202e"
    edit(
        scene.run(),
        THEIRS,
        pipeline=said,
        user=said,
        host=said,
        stack=said,
        stack_origin=said,
        orchestrator=said,
        commit=said,
        versions={said: said},
        parameters={said: said},
    )
    edit(scene.run("end.json"), THEIRS, why=said, status="failed")
    write(scene.file("runs", scene.id, "logs", "told", "0-000000"), said.encode())
    edit(scene.record("told"), THEIRS, metadata=json.dumps({said: said}),
         failure={"kind": said, "message": said, "traceback": said})  # fmt: skip


@attack("numbers")
def names_that_nobody_can_write(scene: Scene) -> None:
    said = "\ud800\udfff"
    edit(scene.run(), THEIRS, pipeline=said, user=said, host=said, parameters={said: said})
    edit(scene.run("end.json"), THEIRS, why=said)


@attack("numbers", PenstockError)
def steps_that_lead_out(scene: Scene) -> None:
    calls = [
        "../../../../etc/passwd",
        "/etc/passwd",
        "a/b",
        "",
        "..",
        "\0",
        "\ud800",
        "-x",
        "x" * 999,
    ]
    edit(scene.run(), THEIRS, calls=calls)


@attack("numbers", CorruptArtifact)
def a_run_that_says_that_it_is_another(scene: Scene) -> None:
    edit(scene.run(), THEIRS, run="../../../../etc")


@attack("numbers")
def a_run_of_no_name(scene: Scene) -> None:
    for name in ("..evil", "20261122", "20261122-041500-k3fq-7f3a-x", "a b", "\x1b[2J", "ü"):
        scene.file("runs", name).mkdir()
        write(scene.file("runs", name, "run.json"), scene.run().read_bytes())


@attack("numbers")
def a_result_that_came_from_outside(scene: Scene) -> None:
    edit(scene.record("numbers"), THEIRS, source=["../../../../etc", "passwd"])


@attack("numbers")
def facts_that_are_too_deep(scene: Scene) -> None:
    edit(scene.record("told"), THEIRS, metadata="[" * 100_000)


@attack("numbers", CorruptArtifact)
def a_record_that_is_too_deep(scene: Scene) -> None:
    write(scene.record("numbers"), Keyring(THEIRS, {}).sign(b'{"run":' + b"[" * 100_000))


@attack("numbers", CorruptArtifact)
def a_record_with_text_that_is_none(scene: Scene) -> None:
    outputs = output_of(scene.record("numbers"), text="\ud800")
    edit(scene.record("numbers"), THEIRS, outputs=outputs)


@attack("numbers", NotFound)
def a_record_that_is_a_pipe(scene: Scene) -> None:
    """As if there were none: the step has no result."""
    scene.record("numbers").unlink()
    os.mkfifo(scene.record("numbers"))


@attack("numbers")
def a_forged_end(scene: Scene) -> None:
    edit(scene.run("end.json"), THEIRS, status="failed", why="Ctrl-C", steps={"evil": "x"})


@attack("numbers")
def a_forged_sign_of_life(scene: Scene) -> None:
    scene.run("end.json").unlink()
    beat = {"running": {"told": 1e300, "\x1b[2J": 0, "../..": float("nan")}}
    write(scene.run("beat"), json.dumps(beat).encode())


@attack("numbers")
def a_sign_of_life_that_is_too_deep(scene: Scene) -> None:
    scene.run("end.json").unlink()
    write(scene.run("beat"), b"[" * 100_000)


@attack("numbers")
def a_forged_cancel(scene: Scene) -> None:
    """It stops a run that is carried out; this one has ended."""
    write(scene.run("cancel"), json.dumps({"user": "\x1b[2J", "host": [], "time": {}}).encode())


@attack("numbers")
def a_checkpoint_of_theirs(scene: Scene) -> None:
    key = told_in(scene.record("numbers"))["key"]
    output = described(pickled(scene.song), "pickle/1")["output"]
    data = {"run": scene.id, "call": "numbers", "key": f"checkpoints/{key[:2]}/{key}",
            "attempt": 1, "saved": 0, "artifact": output, "store": ""}  # fmt: skip
    signed = Keyring(THEIRS, {}).sign(json.dumps(data).encode())
    write(scene.file("checkpoints", key[:2], key), signed)


# The store


@attack("numbers", StoreTooNew, stays=True)
def a_store_from_the_future(scene: Scene) -> None:
    write(scene.file("store.json"), b'{"version": 2, "id": "evil"}')


@attack("numbers", CorruptArtifact, stays=True)
def a_store_without_an_id(scene: Scene) -> None:
    write(scene.file("store.json"), b'{"version": 1, "id": ["evil"]}')


@attack("numbers", CorruptArtifact, stays=True)
def a_store_that_is_too_deep(scene: Scene) -> None:
    write(scene.file("store.json"), b"[" * 100_000)
