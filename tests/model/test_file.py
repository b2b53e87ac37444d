"""`File`: where it leads to, before anybody looks."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import File
from penstock.errors import BadArguments, NotFound
from penstock.model.file import Content

CONTENT = Content("file", 3, "d" * 64)


def test_a_relative_path_counts_from_the_working_directory_of_the_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = File("data/rows.csv")
    monkeypatch.chdir("/")

    assert file.path == str(tmp_path / "data/rows.csv")


def test_home_is_found() -> None:
    assert File("~/rows.csv").path == str(Path.home() / "rows.csv")


@pytest.mark.parametrize(
    "path", ["/a/b", "/a/./b", "/a//b", "/x/../a/b", "file:///a/b", Path("/a/b")]
)
def test_there_is_one_way_to_write_a_path(path: str | Path) -> None:
    assert File(path).path == "/a/b"


@pytest.mark.parametrize(
    "url", ["s3://bucket/key", "https://host:8080/x?y=1", "memory://x", "ssh://me@host/x"]
)
def test_a_url_stays_as_it_is(url: str) -> None:
    file = File(url)
    assert (file.path, file.is_remote) == (url, True)


@pytest.mark.parametrize(
    "url",
    [
        "simplecache::s3://bucket/key", "filecache::https://host/x", "zip://a.csv::s3://b/a.zip",
        "s3://bucket/zip://x::y", "zip://etc/passwd", "reference://x", "dir://x", "dask://x",
        "git://path/x", "generic://x", "cached://x", "ZIP://x",
    ],
)  # fmt: skip
def test_a_url_that_goes_through_another_file_system_is_refused(url: str) -> None:
    with pytest.raises(BadArguments, match="goes through another file system"):
        File(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://me:sesame@host/x", "'ftp://me:***@host/x' of a File holds a password"),
        ("https://host/x?X-Amz-Signature=sesame", "X-Amz-Signature=***' of a File holds"),
        ("simplecache::ftp://me:sesame@host/x", "'simplecache::ftp://me:***@host/x' goes through"),
    ],
)
def test_a_password_is_not_written_down(url: str, said: str) -> None:
    with pytest.raises(BadArguments) as caught:
        File(url)

    assert "sesame" not in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("path", ["", "a\0b", b"x", None, 3, "file://relative"])
def test_what_leads_nowhere_is_refused(path: object) -> None:
    with pytest.raises(BadArguments):
        File(path)  # type: ignore[arg-type]


def test_files_are_equal_if_they_lead_to_the_same_place() -> None:
    assert File("/a") == File("/a", content=CONTENT)
    assert File("/a") != File("/b")
    assert len({File("/a"), File("/a"), File("/b")}) == 2


def test_what_is_there_is_not_known_before_somebody_looks() -> None:
    with pytest.raises(NotFound, match="has not been looked at"):
        _ = File("/a").size


def test_copies_know_what_was_there() -> None:
    file = File("/a", content=CONTENT)
    for other in (copy.copy(file), copy.deepcopy(file), pickle.loads(pickle.dumps(file))):
        assert (other, other.content) == (file, CONTENT)


def test_a_local_file_is_taken_wherever_a_path_is(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("é\n")
    file = File("x")

    with open(file, encoding="utf-8") as opened:
        assert opened.read() == "é\n"
    assert Path(file) == tmp_path / "x"


def test_a_remote_file_is_no_path_here() -> None:
    with pytest.raises(BadArguments, match="is not on this machine"):
        Path(File("s3://bucket/key"))


def test_a_file_is_opened_for_reading_only(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("é\n")
    file = File("x")

    with file.open() as opened:
        assert opened.read() == "é\n".encode()
    with file.open("r", encoding="utf-8") as text:
        assert text.read() == "é\n"
    with pytest.raises(BadArguments, match="a File is only read"):
        file.open("wb")  # type: ignore[call-overload]


contents = st.builds(
    Content, st.sampled_from(["file", "folder"]), st.integers(0, 2**60), st.just("ab" * 32),
    st.text(max_size=5), st.just(1),
)  # fmt: skip


@given(st.text(st.characters(exclude_characters="\0"), min_size=1), contents)
def test_a_reference_comes_back(name: str, content: Content) -> None:
    file = File(f"/{name}", content=content)

    found = File.from_data(file.to_data())

    assert (found, found.content) == (file, content)


GOOD = {"path": "/a", "kind": "file", "size": 3, "digest": "d"}


@pytest.mark.parametrize(
    "changes",
    [
        *({"path": path} for path in [
            "", None, 3, "/a/../b", "/a/", "/a//b", "file:///a", "FILE:///a", "zip://x", "a\0",
            "s3://a::b", "ftp://a:b@c/x", "S3://bucket",
        ]),
        {"kind": "pipe"}, {"kind": None}, {"size": -1}, {"size": "3"}, {"size": True},
        {"digest": 7}, {"digest": ""}, {"etag": []}, {"files": -1}, {"files": None},
    ],
)  # fmt: skip
def test_a_reference_that_nobody_made_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises((ValueError, LookupError, TypeError, BadArguments)):
        File.from_data({**GOOD, **changes})
