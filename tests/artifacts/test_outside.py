"""What lies outside of the store: looked at, hashed once, and never believed blindly."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given
from hypothesis import strategies as st

from penstock import File
from penstock.artifacts.formats.file import FileFormat, canonical
from penstock.artifacts.hashed import COARSE_TICK, RECORD, TICK, Hashed, hashed, tick_of
from penstock.artifacts.outside import local, look, remote
from penstock.artifacts.outside.unseen import Unreachable
from penstock.digest import digest as digest_of
from penstock.digest import of_buffers
from penstock.errors import CorruptArtifact, FileChanged, StoreUnavailable, UnsupportedValue
from penstock.model.file import Content

BIG = os.urandom(local.WORTH_NOTING)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"1,2\n")
    return path


def old(path: Path) -> None:
    """So that its times are certainly not those of the next change."""
    while time.time_ns() - max(path.stat().st_mtime_ns, path.stat().st_ctime_ns) < 60_000_000:
        time.sleep(0.01)


def stored(file: File) -> bytes:
    return b"".join(FileFormat(None).dump(file))  # type: ignore[arg-type]


def loaded(data: bytes) -> File:
    return FileFormat(None).load(data)


# Local files


def test_a_file_is_known_by_its_size_and_the_digest_of_its_bytes(rows: Path) -> None:
    assert look.seen(File(rows)).content == Content("file", 4, of_buffers([b"1,2\n"]))


def test_a_reference_says_no_more_than_it_must(rows: Path) -> None:
    digest = of_buffers([b"1,2\n"])
    assert stored(File(rows)) == (
        f'{{"digest":"{digest}","kind":"file","path":"{rows}","size":4}}'.encode()
    )


def test_a_touched_file_is_the_same(rows: Path) -> None:
    before = stored(File(rows))
    os.utime(rows, (0, 0))
    rows.chmod(0o600)

    assert stored(File(rows)) == before
    assert loaded(before).size == 4


def reading(path: Path) -> int:
    """How many bytes of a file this process reads to look at it."""
    begin = _read_by_us()
    look.seen(File(path))
    return _read_by_us() - begin


def _read_by_us() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_large_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(8 << 20))
    old(path)

    assert reading(path) > 8 << 20
    assert reading(path) < 1 << 20


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(8 << 20))
    os.utime(path)  # with the times of this moment

    while reading(path) > 8 << 20:
        assert time.time_ns() - path.stat().st_ctime_ns < 10_000_000_000
    assert time.time_ns() - path.stat().st_ctime_ns > 50_000_000


def test_a_change_in_the_same_tick_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "large"
    for _ in range(20):
        path.write_bytes(b"a" + BIG)
        before = stored(File(path))
        with path.open("r+b") as file:
            file.write(b"b")
        with pytest.raises(FileChanged):
            loaded(before)


def test_a_huge_file_that_was_just_written_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    path.touch()
    os.truncate(path, local.WORTH_WAITING)

    assert reading(path) >= local.WORTH_WAITING
    assert reading(path) < 1 << 20


@pytest.mark.parametrize(
    ("times", "tick"), [((5, 6), COARSE_TICK), ((5, 6.5), TICK), ((5.5, 6), TICK)]
)
def test_where_times_are_whole_seconds_a_file_must_be_older(
    times: tuple[float, float], tick: int
) -> None:
    nanoseconds = {
        name: int(time * 1e9)
        for name, time in zip(("st_mtime_ns", "st_ctime_ns"), times, strict=True)
    }
    status = os.stat_result((0o100644, *range(9)), nanoseconds)

    assert tick_of(status) == tick


def changed(path: Path) -> None:
    path.write_bytes(b"3,4\n")


def longer(path: Path) -> None:
    path.write_bytes(b"1,2\n3")


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed, "now there is a file of 4 bytes (digest "),
        (longer, "now there is a file of 5 bytes."),
        (gone, "now there is nothing."),
        (a_folder, "now there is a folder of 0 files"),
        (a_pipe, "is neither a file nor a folder, but a pipe, a socket or a device."),
        (a_device, "is neither a file nor a folder, but a pipe, a socket or a device."),
    ],
)
def test_a_file_that_is_another_by_now_is_an_error_that_says_both(
    rows: Path, change: Callable[[Path], None], said: str
) -> None:
    data = stored(File(rows))
    change(rows)

    with pytest.raises(FileChanged) as caught:
        loaded(data)

    assert caught.value.message.startswith(
        f"File('{rows}') is not what was recorded, a file of 4 bytes (digest "
    )
    assert said in caught.value.message
    assert FileFormat(None).changed(data).startswith(f"{rows} was a file of 4 bytes")  # type: ignore[arg-type]


def test_a_missing_file_is_an_error_that_knows_a_similar_one(rows: Path) -> None:
    with pytest.raises(UnsupportedValue) as caught:
        stored(File("row.csv"))

    assert str(caught.value) == (
        f"File('{rows.parent}/row.csv') leads to no file: there is nothing.\n"
        "Did you mean 'rows.csv'?"
    )


def test_a_file_nobody_may_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedValue, match=r"cannot be read: .*too long"):
        stored(File("x" * 300))


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full", "/dev/null"])
def test_a_device_is_no_file(path: str) -> None:
    with pytest.raises(UnsupportedValue, match="but a pipe, a socket or a device"):
        stored(File(path))


def test_a_pipe_that_nobody_writes_to_holds_up_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsupportedValue, match="but a pipe, a socket or a device"):
        stored(File("pipe"))


def test_a_socket_is_no_file(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        with pytest.raises(UnsupportedValue, match="but a pipe, a socket or a device"):
            stored(File("s"))


def test_a_file_without_an_end_is_no_file() -> None:
    with pytest.raises(UnsupportedValue, match="it holds more than it says"):
        stored(File("/proc/self/maps"))


def test_a_link_is_followed(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(rows)
    data = stored(File("link"))
    (tmp_path / "other").write_bytes(b"5,6\n")

    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "other")

    with pytest.raises(FileChanged):
        loaded(data)


def test_a_file_that_changes_while_it_is_read_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(bytes(16 << 20))
    busy = threading.Event()

    def write() -> None:
        with path.open("r+b") as file:
            while not busy.is_set():
                file.seek(0)
                file.write(os.urandom(8))
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(UnsupportedValue, match="changed while it was read"):
            deque((stored(File(path)) for _ in range(1000)), maxlen=0)
    finally:
        busy.set()
        writer.join()


# Local folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "a/b").mkdir(parents=True)
    (made / "a/b/rows").write_text("1")
    (made / "big").write_bytes(BIG)
    (made / "link").symlink_to("big")
    return made


def test_a_folder_is_known_by_its_files(folder: Path) -> None:
    content = look.seen(File(folder)).content
    assert (content.kind, content.size, content.files) == ("folder", 2 * len(BIG) + 1, 3)


FOLDER_CHANGES: list[Callable[[Path], Any]] = [
    lambda folder: (folder / "a/b/rows").write_text("2"),
    lambda folder: (folder / "a/b/rows").write_text("22"),
    lambda folder: (folder / "a/b/rows").rename(folder / "a/rows"),
    lambda folder: (folder / "a/b/rows").unlink(),
    lambda folder: (folder / "new").touch(),
    lambda folder: (folder / "new").mkdir(),
    lambda folder: ((folder / "link").unlink(), (folder / "link").symlink_to("a")),
    lambda folder: folder.rename(folder.with_name("elsewhere")),
]


@pytest.mark.parametrize("change", FOLDER_CHANGES)
def test_a_folder_in_which_anything_is_different_has_changed(
    folder: Path, change: Callable[[Path], Any]
) -> None:
    data = stored(File(folder))
    assert loaded(data) == File(folder)

    change(folder)

    with pytest.raises(FileChanged):
        loaded(data)


def test_a_folder_with_a_pipe_in_it_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "a/pipe")
    with pytest.raises(UnsupportedValue, match=r"a/pipe is neither a file nor a folder"):
        stored(File(folder))


def test_a_folder_without_links_has_the_digest_that_it_always_had(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "big").unlink()

    said = digest_of("folder/1", "a", "/", "a/b", "/", "a/b/rows", "", of_buffers([b"1"]))
    assert look.seen(File(folder)).content == Content("folder", 1, said)


LINKED: list[str] = ["file", "there/inside/file", "more/file"]


@pytest.mark.parametrize("name", LINKED)
def test_a_folder_is_another_when_what_its_links_lead_to_is(
    folder: Path, tmp_path: Path, name: str
) -> None:
    for each in LINKED:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_text("1")
    (folder / "a/file").symlink_to("../../file")
    (folder / "a/there").symlink_to(tmp_path / "there")
    (tmp_path / "there/more").symlink_to("../more")
    data = stored(File(folder))
    assert loaded(data).content.files == 6

    (tmp_path / name).write_text("2")

    with pytest.raises(FileChanged):
        loaded(data)


def test_a_folder_is_another_when_a_link_outside_leads_to_another_that_is_in_it_too(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "a/c").mkdir()
    (tmp_path / "current").symlink_to(folder / "a/b")
    (folder / "z").symlink_to(tmp_path / "current")
    data = stored(File(folder))

    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to(folder / "a/c")

    with pytest.raises(FileChanged):
        loaded(data)


def test_links_in_a_circle_come_to_an_end(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/back").symlink_to(folder)
    (folder / "a/up").symlink_to("..")
    (folder / "there").symlink_to(tmp_path / "there")

    data = stored(File(folder))
    assert loaded(data).content.files == 3

    (folder / "a/b/rows").write_text("2")
    with pytest.raises(FileChanged):
        loaded(data)


def test_links_that_double_at_each_step_come_to_an_end(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"made/{number}").mkdir(parents=True)
        for name in "ab":
            (tmp_path / f"made/{number}/{name}").symlink_to(f"../{number + 1}")

    assert look.seen(File("made")).content.files == 0


@pytest.mark.parametrize("target", ["nothing", "big/rows", "broken", "x" * 300])
def test_a_broken_link_is_known_by_where_it_leads(folder: Path, target: str) -> None:
    (folder / "broken").symlink_to(target)
    data = stored(File(folder))
    assert loaded(data) == File(folder)

    (folder / "broken").unlink()
    (folder / "broken").symlink_to("elsewhere")
    data_elsewhere = stored(File(folder))
    assert data_elsewhere != data

    (folder / "elsewhere").write_text("")
    with pytest.raises(FileChanged):
        loaded(data_elsewhere)


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/null", "../pipe"])
def test_a_folder_with_a_link_to_a_pipe_or_a_device_is_refused(folder: Path, target: str) -> None:
    os.mkfifo(folder / "../pipe")
    (folder / "a/link").symlink_to(os.path.join(folder, target))
    with pytest.raises(UnsupportedValue, match=r"a/link is neither a file nor a folder"):
        stored(File(folder))


def test_no_more_is_read_through_links_than_was_recorded(folder: Path, tmp_path: Path) -> None:
    data = stored(File(folder))
    (tmp_path / "endless").touch()
    os.truncate(tmp_path / "endless", 1 << 40)
    (folder / "link").unlink()
    (folder / "link").symlink_to(tmp_path / "endless")

    with pytest.raises(FileChanged, match="now there is a folder of 3 files"):
        loaded(data)


# References that somebody else has written


def reference(**changes: object) -> bytes:
    return canonical({"kind": "file", "size": 4, "digest": "d" * 64, **changes})


def test_no_more_is_read_than_was_recorded(tmp_path: Path) -> None:
    (tmp_path / "endless").touch()
    os.truncate(tmp_path / "endless", 1 << 40)

    with pytest.raises(FileChanged, match="now there is a file of 1,099,511,627,776 bytes"):
        loaded(reference(path=str(tmp_path / "endless")))


def test_a_folder_is_not_read_beyond_what_was_recorded() -> None:
    data = reference(path="/", kind="folder", files=3, size=1 << 60)
    with pytest.raises((FileChanged, StoreUnavailable)):
        loaded(data)


def test_a_path_of_another_system_leads_nowhere_here() -> None:
    with pytest.raises(FileChanged, match="there is no such place on this system"):
        loaded(reference(path="C:\\rows.csv"))


@pytest.mark.parametrize(
    "path", ["file:///etc/passwd", "simplecache::s3://a/b", "zip://x", "/a/../b", "", 3]
)
def test_a_reference_that_no_file_gave_is_corrupt(path: object) -> None:
    data = reference(path=path)
    if path == "simplecache::s3://a/b":  # a relative path to us, and so no place at all
        with pytest.raises(FileChanged, match="there is no such place"):
            loaded(data)
    else:
        with pytest.raises(CorruptArtifact):
            loaded(data)


def test_a_truncated_reference_is_corrupt(rows: Path) -> None:
    data = stored(File(rows))
    for length in range(len(data)):
        with pytest.raises(CorruptArtifact):
            loaded(data[:length])


# The digests that were written down


def test_digests_are_known_to_other_processes(tmp_path: Path) -> None:
    here, there = Hashed(tmp_path / "cache/hashed"), Hashed(tmp_path / "cache/hashed")
    assert there.find("stamp") is None
    here.add("stamp", "ab" * 32)

    assert there.find("stamp") == "ab" * 32
    assert there.find("other") is None


def test_a_record_cut_short_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "hashed"
    Hashed(file).add("one", "11" * 32)
    os.truncate(file, RECORD - 10)
    Hashed(file).add("two", "22" * 32)

    found = Hashed(file)
    assert (found.find("one"), found.find("two")) == (None, "22" * 32)


@given(st.integers(0, 2 * RECORD - 1), st.integers(1, 255))
def test_a_damaged_record_is_not_believed(position: int, by: int) -> None:
    folder = Path("damaged")
    folder.mkdir(exist_ok=True)
    file = folder / "hashed"
    file.unlink(missing_ok=True)
    digests = {"one": "11" * 32, "two": "22" * 32}
    for stamp, digest in digests.items():
        Hashed(file).add(stamp, digest)
    data = bytearray(file.read_bytes())
    data[position] ^= by
    file.write_bytes(data)

    found = Hashed(file)
    assert all(found.find(stamp) in (None, digest) for stamp, digest in digests.items())


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.artifacts.hashed.MOST", 100)
    file = tmp_path / "hashed"
    known = Hashed(file)
    for number in range(1000):
        known.add(str(number), f"{number:064}")

    assert file.stat().st_size <= 101 * RECORD
    assert Hashed(file).find("999") == f"{999:064}"


def test_without_a_place_to_write_only_this_process_remembers(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    known = Hashed(tmp_path / "file/hashed")
    known.add("stamp", "ab" * 32)

    assert known.find("stamp") == "ab" * 32


def test_they_lie_in_the_cache_folder_of_the_user() -> None:
    hashed().add("stamp", "ab" * 32)
    assert list(Path.home().rglob("hashed"))


# Elsewhere


class Web(BaseHTTPRequestHandler):
    """Serves `content`, with whatever headers it is told to send."""

    content: ClassVar[bytes] = b""
    told: ClassVar[dict[str, str]] = {}
    served: ClassVar[int] = 0
    status: ClassVar[int] = 200
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        if self._head():
            type(self).served += len(self.content)
            self.wfile.write(self.content)

    def _head(self) -> bool:
        found = self.path == "/rows.csv"
        self.send_response(self.status if found else 404)
        for name, value in self.told.items() if found else ():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.content) if found else 0))
        self.end_headers()
        return found

    def log_message(self, *args: object) -> None:
        """Nothing: a test is silent."""


@pytest.fixture
def web() -> Iterator[str]:
    Web.content, Web.told, Web.served, Web.status = b"1,2\n", {}, 0, 200
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_an_object_with_an_etag_is_not_read(web: str) -> None:
    Web.told = {"ETag": '"one"'}
    data = stored(File(f"{web}/rows.csv"))

    assert loaded(data).content == Content("file", 4, etag="one")
    assert Web.served == 0
    Web.told = {"ETag": '"two"'}
    with pytest.raises(FileChanged, match=r"\(ETag one\): now there is .* \(ETag two\)"):
        loaded(data)


@pytest.mark.parametrize("told", [{}, {"ETag": 'W/"one"'}, {"Last-Modified": "yesterday"}])
def test_an_object_without_a_good_etag_is_read(web: str, told: dict[str, str]) -> None:
    Web.told = told
    data = stored(File(f"{web}/rows.csv"))

    assert loaded(data).content == Content("file", 4, of_buffers([b"1,2\n"]))
    Web.content = b"3,4\n"
    with pytest.raises(FileChanged):
        loaded(data)


def test_no_more_of_a_remote_file_is_read_than_was_recorded(web: str) -> None:
    data = stored(File(f"{web}/rows.csv"))
    Web.content, Web.served = bytes(50 << 20), 0

    with pytest.raises(FileChanged, match="now there is a file of 52,428,800 bytes"):
        loaded(data)
    assert Web.served == 0


def test_a_remote_file_is_opened(web: str) -> None:
    file = File(f"{web}/rows.csv")
    with file.open() as opened:
        assert opened.read() == b"1,2\n"
    with file.open("r", encoding="utf-8") as text:
        assert text.read() == "1,2\n"


def test_a_missing_remote_file_is_an_error(web: str) -> None:
    with pytest.raises(UnsupportedValue, match="leads to no file: there is nothing"):
        stored(File(f"{web}/nothing"))


def test_a_server_that_does_not_answer_is_no_changed_file(web: str) -> None:
    data = stored(File(f"{web}/rows.csv")).replace(web.encode(), b"http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match=r"cannot be looked at: it cannot be read"):
        loaded(data)


def test_a_server_in_trouble_is_no_changed_file(web: str) -> None:
    data = stored(File(f"{web}/rows.csv"))
    Web.status = 503
    with pytest.raises(StoreUnavailable, match=r"cannot be looked at: it cannot be read: 503"):
        loaded(data)


def test_a_protocol_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(UnsupportedValue, match=r"cannot be looked at: .*quux"):
        stored(File("quux://bucket/key"))


def test_a_folder_elsewhere_is_known_by_its_files() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe({"/folder/a": b"1", "/folder/b/c": b"2"})
    data = stored(File("memory://folder"))
    content = loaded(data).content
    assert (content.kind, content.size, content.files) == ("folder", 2, 2)

    memory.pipe({"/folder/b/c": b"3"})
    with pytest.raises(FileChanged):
        loaded(data)
    memory.pipe({"/folder/b/d": b"3"})
    with pytest.raises(FileChanged, match="3 files"):
        loaded(data)
    memory.rm("/folder", recursive=True)
    with pytest.raises(FileChanged, match="nothing"):
        loaded(data)


def test_an_object_in_a_bucket_is_known_by_its_etag(bucket: AbstractFileSystem) -> None:
    bucket.pipe({"bucket/folder/a": b"1", "bucket/folder/b": b"2"})
    file, folder = stored(File("s3://bucket/folder/a")), stored(File("s3://bucket/folder"))
    assert loaded(file).content == Content("file", 1, etag="c4ca4238a0b923820dcc509a6f75849b")
    assert loaded(folder).content.files == 2
    with loaded(file).open() as opened:
        assert opened.read() == b"1"

    bucket.pipe("bucket/folder/a", b"3")

    for data in (file, folder):
        with pytest.raises(FileChanged):
            loaded(data)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[AbstractFileSystem]:
    """An S3 of its own, as the environment of a user names it."""
    from moto.server import ThreadedMotoServer  # heavy, and only for one test

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    system = fsspec.filesystem("s3", skip_instance_cache=True)
    try:
        system.mkdir("bucket")
        yield system
    finally:
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        server.stop()


def test_another_name_for_this_machine_is_refused(tmp_path: Path) -> None:
    class Disguised(LocalFileSystem):  # type: ignore[misc] # it has no types
        protocol = "disguised"

    fsspec.register_implementation("disguised", Disguised, clobber=True)
    with pytest.raises(Unreachable, match="another name for a place on this machine"):
        remote.look("disguised://etc/passwd")
