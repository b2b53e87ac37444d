"""Which files of a project travel, with git and without."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import SHOP, collected, committed, git, sent, written

from penstock.errors import BadConfiguration, CannotRun
from penstock.runtime.bundle import listing
from penstock.stack.orchestrator import MARK

Make = Callable[[Path], Path]


def _plain(folder: Path) -> Path:
    return folder


ways = pytest.mark.parametrize("made", [_plain, committed], ids=["plain", "git"])
CREDENTIALS = [
    *(".env", ".env.production", "deploy.pem", "tls.KEY", "store.p12", "id_rsa", "id_ed25519.pub"),
    *(".netrc", ".npmrc", ".pypirc", ".git-credentials", ".aws/config", ".ssh/known_hosts"),
    *(".kube/config", "kubeconfig", ".docker/config.json", "credentials.json"),
    *("my-service-account-1.json", "client_secret_web.json", "conf/terraform.tfstate"),
]
HARMLESS = [
    *(".env.example", ".env.sample", ".env.template", "environment.py", "keys.py", "docker.json"),
    *("credentials.py", "monkey", "aws/config", "requirements.pem.txt"),
]
MADE = [
    *(".venv/lib/a.py", "venv/bin/a", "mine/pyvenv.cfg", "mine/lib/a.py", "src/__pycache__/a.pyc"),
    *("node_modules/a.js", ".tox/a", ".mypy_cache/a", ".ipynb_checkpoints/a.ipynb", "a.pyc"),
    *("shop.egg-info/PKG-INFO", "build/lib/a.py", "dist/a.whl", ".DS_Store"),
    *("store/store.json", "store/objects/ab/cd", "store/runs/1/run.json"),
]


@ways
def test_files_of_a_project_travel(made: Make, tmp_path: Path) -> None:
    assert sent(collected(made(written(tmp_path, SHOP)))) == sorted(SHOP)


@ways
def test_odd_names_travel(made: Make, tmp_path: Path) -> None:
    names = [b"a b", b"line\nbreak", b"caf\xe9", "é".encode(), b"quote'\"", b"-f", b"\\x", b"*"]
    for name in names:
        Path(tmp_path, os.fsdecode(name)).write_text("1")
    assert [os.fsencode(name) for name in sent(collected(made(tmp_path)))] == sorted(names)


@ways
@pytest.mark.parametrize("name", [*CREDENTIALS, *HARMLESS])
def test_files_with_credentials_stay_here(made: Make, name: str, tmp_path: Path) -> None:
    found = collected(made(written(tmp_path, {"a.py": "", name: "x"})))
    assert sent(found) == ["a.py"] if name in CREDENTIALS else sorted(["a.py", name])
    assert [name in remark for remark in found.remarks] == [True] * (name in CREDENTIALS)


def test_of_what_git_ignores_nobody_has_to_be_told(tmp_path: Path) -> None:
    committed(written(tmp_path, {".gitignore": ".env\n*.log\n", ".env": "x", "a.log": ""}))
    found = collected(tmp_path)
    assert (sent(found), found.remarks) == ([".gitignore"], [])


@ways
def test_what_is_made_anew_elsewhere_stays_here(made: Make, tmp_path: Path) -> None:
    made(written(tmp_path, {"src/shop/build/a.py": "", "env/b.py": ""}))
    written(tmp_path, dict.fromkeys(MADE, ""))
    assert sent(collected(tmp_path)) == ["env/b.py", "src/shop/build/a.py"]


@ways
def test_a_link_to_a_virtual_environment_is_nothing_to_be_told(made: Make, tmp_path: Path) -> None:
    made(written(tmp_path / "shop", {"a.py": "", "build": "#!/bin/sh"}))
    written(tmp_path / "env", {"pyvenv.cfg": ""})
    (tmp_path / "shop/.venv").symlink_to("../env")
    found = collected(tmp_path / "shop")
    assert (sent(found), found.remarks) == (["a.py", "build"], [])


def test_what_is_in_git_is_there_on_purpose(tmp_path: Path) -> None:
    committed(written(tmp_path, {"dist/model.py": "", "build/a.py": "", ".penstock/active": ""}))
    assert sent(collected(tmp_path)) == ["build/a.py", "dist/model.py"]


def test_files_count_as_they_are_on_disk(tmp_path: Path) -> None:
    committed(written(tmp_path, {"a.py": "1", "gone.py": "", "moved.py": ""}))
    written(tmp_path, {"a.py": "2", "new.py": ""})
    (tmp_path / "gone.py").unlink()
    git(tmp_path, "mv", "moved.py", "there.py")
    found = collected(tmp_path)
    assert sent(found) == ["a.py", "new.py", "there.py"]
    assert found.members[[item.name for item in found.members].index("project/a.py")].data == b"2"


def test_a_folder_in_a_repository_is_a_project(tmp_path: Path) -> None:
    committed(written(tmp_path, {"a.py": "", "one/b.py": "", "one/two/c.py": ""}))
    assert sent(collected(tmp_path / "one")) == ["b.py", "two/c.py"]


def test_a_project_that_git_ignores_as_a_whole_travels(tmp_path: Path) -> None:
    committed(written(tmp_path, {".gitignore": "tmp/\n"}))
    written(tmp_path / "tmp", {"a.py": "", "__pycache__/a.pyc": ""})
    assert sent(collected(tmp_path / "tmp")) == ["a.py"]


def test_submodules_and_clones_travel(tmp_path: Path) -> None:
    other = committed(written(tmp_path / "other", {"lib.py": "", "deep/d.py": ""}))
    project = committed(written(tmp_path / "project", {"a.py": ""}))
    git(project, "submodule", "add", str(other), "vendor/other")
    git(project, "clone", str(other), "clone")
    written(project, {"vendor/other/new.py": "", "clone/__pycache__/a.pyc": ""})
    git(project, "submodule", "add", "--force", str(other), "empty")
    git(project, "submodule", "deinit", "--force", "empty")
    assert sent(collected(project)) == sorted([
        *(".gitmodules", "a.py", "clone/deep/d.py", "clone/lib.py"),
        *("vendor/other/deep/d.py", "vendor/other/lib.py", "vendor/other/new.py"),
    ])  # fmt: skip


def test_a_hook_of_git_that_starts_us_means_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(written(tmp_path / "other", {"other.py": ""}))
    committed(written(tmp_path / "mine", {"mine.py": ""}))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other/.git/index"))
    assert sent(collected(tmp_path / "mine")) == ["mine.py"]


def test_without_git_installed_all_is_sent_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(written(tmp_path, {".gitignore": "b.py\n", "a.py": "", "b.py": ""}))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = collected(tmp_path)
    assert sent(found) == [".gitignore", "a.py", "b.py"]
    assert "git is not installed" in found.remarks[0]


def test_if_git_refuses_all_is_sent_and_that_is_said(tmp_path: Path) -> None:
    committed(written(tmp_path, {"a.py": ""}))
    (tmp_path / ".git/index").write_text("broken")
    found = collected(tmp_path)
    assert sent(found) == ["a.py"]
    assert "git does not list" in found.remarks[0]


@ways
def test_penstockignore_leaves_out_and_brings_back(made: Make, tmp_path: Path) -> None:
    written(tmp_path, {
        ".penstockignore": "data/\n*.csv\n!keep.csv\n/top.py\n!ca.pem\n# no rule\n",
        "data/a.py": "", "x.csv": "", "sub/keep.csv": "", "top.py": "", "sub/top.py": "",
        "ca.pem": "", "other.pem": "",
    })  # fmt: skip
    found = collected(made(tmp_path))
    assert sent(found) == sorted([".penstockignore", "sub/keep.csv", "sub/top.py", "ca.pem"])
    assert "other.pem" in found.remarks[0]


def test_penstockignore_brings_nothing_back_that_git_ignores(tmp_path: Path) -> None:
    committed(written(tmp_path, {".gitignore": "b.py\n", ".penstockignore": "!b.py\n", "b.py": ""}))
    assert "b.py" not in sent(collected(tmp_path))


def test_what_penstockignore_does_not_say_well_is_told(tmp_path: Path) -> None:
    written(tmp_path, {".penstockignore": "a\n!\n"})
    with pytest.raises(BadConfiguration, match="penstockignore"):
        collected(tmp_path)


@ways
def test_links_inside_stay_links(made: Make, tmp_path: Path) -> None:
    written(tmp_path / "in", {"a/b.py": "1", "c.py": ""})
    (tmp_path / "in/link.py").symlink_to("a/b.py")
    (tmp_path / "in/folder").symlink_to("a")
    (tmp_path / "in/a/up.py").symlink_to("../c.py")
    (tmp_path / "in/absolute.py").symlink_to(tmp_path / "in/a/b.py")
    (tmp_path / "in/twice.py").symlink_to("folder/b.py")
    found = collected(made(tmp_path / "in"))
    assert {item.name: item.link for item in found.members if item.link} == {
        "project/link.py": "a/b.py",
        "project/folder": "a",
        "project/a/up.py": "../c.py",
        "project/absolute.py": "a/b.py",
        "project/twice.py": "a/b.py",
    }
    assert found.remarks == []


@ways
def test_links_to_what_does_not_travel_stay_here(made: Make, tmp_path: Path) -> None:
    written(tmp_path, {"in/a.py": "", "in/.env": "x", "out/secret.py": ""})
    for name, target in {
        "out": "../out", "file": "../out/secret.py", "root": "/etc/passwd", "gone": "nowhere",
        "env": ".env", "loop": "loop",
    }.items():  # fmt: skip
        (tmp_path / "in" / name).symlink_to(target)
    found = collected(made(tmp_path / "in"))
    assert sent(found) == ["a.py"]
    assert all(f"in/{name}'" in found.remarks[1] for name in ("out", "file", "gone", "env", "loop"))


@ways
def test_what_is_no_file_stays_here(made: Make, tmp_path: Path) -> None:
    written(tmp_path, {"a.py": ""})
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind("plug")
        found = collected(made(tmp_path))
    assert sent(found) == ["a.py"]
    # Git lists neither pipes nor sockets.
    assert ["pipe" in remark and "plug" in remark for remark in found.remarks] == (
        [True] if made is _plain else []
    )


UNREADABLE = """
import sys
from pathlib import Path
from penstock.errors import CannotRun
from projects import collected
try:
    collected(Path(sys.argv[1]))
except CannotRun as error:
    print(error)
"""
# Root reads whatever it likes, as long as it is allowed to.
LIKE_OTHERS = "-dac_override,-dac_read_search"
LIMITED = ["setpriv", f"--inh-caps={LIKE_OTHERS}", f"--bounding-set={LIKE_OTHERS}"]


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="needs setpriv")
@pytest.mark.parametrize("name", ["a.py", "folder"])
def test_what_cannot_be_read_is_one_error(name: str, tmp_path: Path) -> None:
    written(tmp_path, {"a.py": "", "folder/b.py": ""})
    (tmp_path / name).chmod(0)
    done = subprocess.run(
        [*(LIMITED if os.geteuid() == 0 else []), sys.executable, "-c", UNREADABLE, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"{tmp_path / name}" in done.stdout
    assert "Permission denied" in done.stdout
    assert f"/{name}" in done.stdout.splitlines()[-1]
    assert ".penstockignore" in done.stdout


def test_a_whole_disk_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MANY", 20)
    written(tmp_path, {f"{number}.py": "" for number in range(21)})
    with pytest.raises(CannotRun, match="more than 20 files"):
        collected(tmp_path)


def test_too_much_is_refused_with_the_largest_and_what_to_type(tmp_path: Path) -> None:
    committed(written(tmp_path, {f"data/big {n}.bin": "x" * 1000 * n for n in range(1, 8)}))
    assert len(sent(collected(tmp_path, limit=28_000))) == 7
    with pytest.raises(CannotRun) as caught:
        collected(tmp_path, limit=27_999)
    message, hint = caught.value.message, caught.value.hint
    assert [f"big {n}.bin" in message for n in range(1, 8)] == [False] * 2 + [True] * 5
    assert "6.8 KiB" in message
    subprocess.run(hint.partition("\n")[2], shell=True, check=True)
    assert sent(collected(tmp_path, limit=4_000)) == [
        ".penstockignore", "data/big 1.bin", "data/big 2.bin",
    ]  # fmt: skip


def test_a_file_that_vanishes_meanwhile_is_left_out(tmp_path: Path) -> None:
    committed(written(tmp_path, {"a.py": "", "b.py": ""}))
    found = listing.of(tmp_path, tmp_path)
    assert found.names == ["a.py", "b.py"]
    (tmp_path / "a.py").unlink()
    assert sent(collected(tmp_path)) == ["b.py"]


PRINTING = """
from pathlib import Path
from projects import collected, sent
print(sent(collected(Path("."))), flush=True)
"""


def test_what_this_process_prints_into_is_left_out(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": ""})
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = f"{sys.executable} -P -c '{PRINTING}' > out.log 2> error.log"
    subprocess.run(command, shell=True, cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "out.log").read_text() == "['a.py']\n"
    assert sent(collected(tmp_path)) == ["a.py", "error.log", "out.log"]


def test_files_may_be_left_out_by_their_path(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": "", "out.yaml": ""})
    assert sent(collected(tmp_path, without=[str(tmp_path / "out.yaml")])) == ["a.py"]


@ways
def test_what_penstock_has_compiled_stays_here(made: Make, tmp_path: Path) -> None:
    text = f"{MARK} 1.2 for kubeflow.\npipelineInfo: {{}}\n"
    names = ["out.yaml", "deep/g.yml", "mine.yaml", "kept.yaml", "out.txt", "a.yaml"]
    written(tmp_path, {**dict.fromkeys(names, text), ".penstockignore": "!/kept.yaml\n"})
    (tmp_path / "mine.yaml").write_text(f"a: 1\n{text}")
    (tmp_path / "empty.yaml").write_text("")
    os.mkfifo(tmp_path / "pipe.yaml")  # which nobody may wait for
    (tmp_path / "a.yaml").write_text(MARK[:-1])
    found = collected(made(tmp_path))
    kept = [".penstockignore", "a.yaml", "empty.yaml", "kept.yaml", "mine.yaml", "out.txt"]
    assert sent(found) == kept


def test_to_compile_once_more_makes_no_other_archive(tmp_path: Path) -> None:
    before = collected(committed(written(tmp_path, SHOP))).members
    for text in ("1", "2"):
        (tmp_path / "g.yaml").write_text(f"{MARK}\n{text}\n")
        assert collected(tmp_path).members == before
    (tmp_path / "g.yaml").write_text("1\n")
    assert collected(tmp_path).members != before  # this test would notice
