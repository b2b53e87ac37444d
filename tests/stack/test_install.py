import json
from pathlib import Path

import pytest

from penstock.errors import MissingExtra
from penstock.stack.install import command, library

GIT = {"url": "https://github.com/acme/acme.git", "vcs_info": {"vcs": "git", "commit_id": "1f"}}


def install(folder: Path, origin: object = None, installer: str = "pip\n", entry: str = "") -> None:
    """A distribution `acme`, as an installer leaves it behind."""
    info = folder / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "INSTALLER").write_text(installer)
    (info / "entry_points.txt").write_text(entry)
    if origin is not None:
        (info / "direct_url.json").write_text(
            origin if isinstance(origin, str) else json.dumps(origin)
        )


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (None, "pip install 'acme[s3]'"),
        ("not json", "pip install 'acme[s3]'"),
        (
            {"url": "file:///its/path", "dir_info": {"editable": True}},
            "pip install -e '/its/path[s3]'",
        ),
        ({"url": "file:///its/path", "dir_info": {}}, "pip install '/its/path[s3]'"),
        (
            {"url": "file:///it%27s/a%20path", "dir_info": {"editable": True}},
            "pip install -e '/it'\"'\"'s/a path[s3]'",
        ),
        (
            {"url": "file:///dist/acme-1.0.whl", "archive_info": {}},
            "pip install '/dist/acme-1.0.whl[s3]'",
        ),
        (
            {"url": "https://host/acme-1.0.whl", "archive_info": {}},
            "pip install 'acme[s3] @ https://host/acme-1.0.whl'",
        ),
        (GIT, "pip install 'acme[s3] @ git+https://github.com/acme/acme.git'"),
        (
            GIT | {"vcs_info": {"vcs": "git", "requested_revision": "v1"}, "subdirectory": "sdk"},
            "pip install 'acme[s3] @ git+https://github.com/acme/acme.git@v1#subdirectory=sdk'",
        ),
        (
            {"url": "file:///its/repo", "vcs_info": {"vcs": "git"}},
            "pip install 'acme[s3] @ git+file:///its/repo'",
        ),
    ],
)
def test_the_line_fits_how_the_distribution_was_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: object, line: str
) -> None:
    install(tmp_path, origin)
    monkeypatch.syspath_prepend(tmp_path)

    assert command("acme", "s3") == line


def test_what_uv_installed_uv_installs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, installer="uv")
    monkeypatch.syspath_prepend(tmp_path)

    assert command("acme", "s3", "gpu") == "uv pip install 'acme[s3,gpu]'"


def test_a_distribution_without_metadata_comes_from_the_index() -> None:
    assert command("no-such-distribution", "s3") == "pip install 'no-such-distribution[s3]'"


def test_a_library_that_is_there_is_the_module() -> None:
    assert library("json", extra="s3", who="A test") is json


def test_a_missing_library_names_itself_and_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(MissingExtra) as caught:
        library("no_such_library", extra="s3", who="S3ArtifactStore", distribution="acme")

    assert str(caught.value) == (
        "S3ArtifactStore needs the library 'no_such_library', which is not installed.\n"
        "pip install 'acme[s3]'"
    )
