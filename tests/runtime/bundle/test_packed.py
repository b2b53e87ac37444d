"""A project as an archive: the same bytes everywhere, and enough to run its steps anywhere."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from projects import committed, git, written

from penstock._version import __version__
from penstock.errors import CorruptArtifact
from penstock.runtime import bundle
from penstock.runtime.bundle import archive, manifest, own
from penstock.runtime.bundle.archive import Member
from penstock.stack.project import Project

HERE = Path(__file__).parent
FILES = {
    "penstock.yaml": "",
    "src/shop/__init__.py": "",
    "src/shop/rates.py": "RATE = 3\n",
    "src/shop/steps.py": (
        "from pathlib import Path\nfrom penstock import step\nfrom pricing import price\n"
        "from shop.rates import RATE\n\n\n@step\ndef total(pieces: int) -> int:\n"
        '    return pieces * RATE * price() + len(Path("data/some rows.csv").read_text())\n'
    ),
    "data/some rows.csv": "1,2",
    "bin/run": "#!/bin/sh\n",
}
PRICING = {"lib/pricing/__init__.py": "def price() -> int:\n    return 100\n"}
PACK = """
import os, sys
from pathlib import Path
os.umask(int(sys.argv[2], 8))
from shop.steps import total
from penstock.runtime import bundle
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.stack.project import Project
found = Fingerprints()
found.of_step(total)
packed = bundle.packed(Project.find(Path(sys.argv[1])), [total], found.files, {})
sys.stdout.buffer.write(packed.data)
"""
OPEN = """
import os, sys
from pathlib import Path
from penstock.runtime import bundle
found = bundle.opened(Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]))
sys.path[:0] = found.path
os.chdir(found.cwd)
from shop.steps import total
from penstock.runtime.fingerprints.fingerprints import Fingerprints
print(total.function(2), Fingerprints().of_step(total).digest, bundle.is_running(found))
"""


def _python(
    code: str, *words: str, cwd: Path, path: tuple[Path, ...] = (), **more: str
) -> subprocess.CompletedProcess[bytes]:
    """Another process, which has only this path, and not its own folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **more}
    command = [sys.executable, "-P", "-c", code, *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=True)


def _packed(shop: Path, umask: str = "022", cwd: Path | None = None, **more: str) -> bytes:
    path = (shop / "src", shop.parent / "lib")
    return _python(PACK, str(shop), umask, cwd=cwd or shop, path=path, **more).stdout


def _with_its_time(folder: Path) -> Path:
    """A planted defect: something of this machine gets into a file."""
    (folder / "src/shop/rates.py").write_text(f"RATE = 3  # {folder}\n")
    return folder


def test_the_same_code_makes_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    first = committed(written(tmp_path / "one/shop", FILES))
    written(tmp_path / "one", PRICING)
    (first / "bin/run").chmod(0o755)
    git(first, "add", "--all")
    git(first, "commit", "-m", "run")
    shutil.copytree(tmp_path / "one/lib", tmp_path / "two/lib")
    git(tmp_path, "-c", "core.sharedRepository=0600", "clone", str(first), "two/shop")
    second = tmp_path / "two/shop"
    for path in second.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
        if path.is_file() and ".git" not in path.parts:
            path.chmod(path.stat().st_mode & 0o700)
    there = tmp_path / "somewhere"
    there.mkdir()
    data = _packed(first)
    assert data == _packed(second, "077", there, LC_ALL="C", PYTHONHASHSEED="7", TZ="Asia/Tokyo")
    assert data != _packed(_with_its_time(second))  # this test would notice


def test_what_was_unpacked_makes_the_same_bytes_again(tmp_path: Path) -> None:
    shop = committed(written(tmp_path / "shop", FILES))
    written(tmp_path, PRICING)
    data = _packed(shop)
    again = bundle.opened(data, tmp_path / "opened")
    shutil.copytree(again.cwd, tmp_path / "again/shop", symlinks=True)
    written(tmp_path / "again", PRICING)
    assert _packed(tmp_path / "again/shop") == data


def test_a_step_runs_where_nothing_else_is(tmp_path: Path) -> None:
    shop = committed(written(tmp_path / "shop", FILES))
    written(tmp_path, PRICING)
    (tmp_path / "code").write_bytes(_packed(shop))
    path = (shop / "src", tmp_path / "lib")
    here = _python(
        "from shop.steps import total\n"
        "from penstock.runtime.fingerprints.fingerprints import Fingerprints\n"
        "print(total.function(2), Fingerprints().of_step(total).digest, True)",
        cwd=shop, path=path,
    )  # fmt: skip
    shutil.move(tmp_path / "lib", tmp_path / "gone")
    shutil.move(shop, tmp_path / "gone/shop")
    empty = tmp_path / "empty"
    empty.mkdir()
    there = _python(OPEN, "../code", "../opened", cwd=empty)
    assert there.stdout.decode().split() == here.stdout.decode().split()
    assert there.stdout.startswith(b"603 ")
    assert list(empty.iterdir()) == []


def _opened(tmp_path: Path, change: Callable[[dict[str, bytes]], None]) -> bundle.Manifest:
    """A bundle of which somebody has changed the members."""
    written(tmp_path / "shop", {"a.py": ""})
    packed = bundle.packed(Project(tmp_path / "shop"), [], [], {})
    members = {member.name: member.data for member in archive.read(packed.data)}
    change(members)
    data = archive.written(Member(name, content) for name, content in members.items())
    return bundle.opened(data, tmp_path / "opened")


def test_penstock_from_a_checkout_travels_and_is_not_unpacked(tmp_path: Path) -> None:
    found = _opened(tmp_path, lambda members: None)
    assert found.python == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert found.cwd == str(tmp_path / "opened/project")
    assert found.path == (found.cwd,)
    assert (found.main, bundle.is_running(found)) == (None, True)
    assert sorted(path.name for path in (tmp_path / "opened").iterdir()) == [
        "manifest.json", "penstock.tar.gz", "project",
    ]  # fmt: skip
    assert bundle.reopened(tmp_path / "opened") == found


WHICH = """
import penstock, penstock_s3
from importlib.metadata import entry_points, version
print(penstock.__file__)
print(penstock_s3.__file__)
print(version("penstock"), {item.name for item in entry_points(group="penstock.orchestrators")})
"""


def test_another_penstock_is_noticed_and_can_be_taken(tmp_path: Path) -> None:
    def edit(members: dict[str, bytes]) -> None:
        files = {item.name: item.data for item in archive.read(members[manifest.PENSTOCK])}
        files["penstock/digest.py"] += b"\n# edited\n"
        code: dict[str, Mapping[str, bytes]] = {}
        for name in ("penstock", "penstock_kubeflow", "penstock_s3"):
            start = f"{name}/"
            code[name] = {
                file.removeprefix(start): data
                for file, data in sorted(files.items())
                if file.startswith(start)
            }
        members[manifest.PENSTOCK] = own.packed(code)
        members[manifest.NAME] = manifest.to_bytes(
            ("project",), main=False, sources=own.sources(code)
        )

    found = _opened(tmp_path, edit)
    assert not bundle.is_running(found)
    folder = Path(bundle.penstock_of(found))
    assert bundle.penstock_of(found) == str(folder)
    done = _python(WHICH, cwd=tmp_path, path=(folder,)).stdout.decode().splitlines()
    assert done[:2] == [f"{folder}/penstock/__init__.py", f"{folder}/penstock_s3/__init__.py"]
    assert done[2] == f"{__version__} {{'kubeflow'}}"


def _without(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.pop(name) and None


def _saying(text: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.update({manifest.NAME: text})


@pytest.mark.parametrize(
    "change",
    [
        _without(manifest.NAME),
        _saying(b"{"),
        _saying(b"[]"),
        _saying(b"{}"),
        _saying(
            b'{"path":["/etc"],"cwd":"project","main":null,"penstock":null,"python":"3.11",'
            b'"sources":{}}'
        ),
        _saying(
            b'{"path":[],"cwd":"../..","main":null,"penstock":null,"python":"3.11","sources":{}}'
        ),
    ],
)
def test_a_bundle_that_does_not_say_what_it_is_is_refused(
    change: Callable[[dict[str, bytes]], None], tmp_path: Path
) -> None:
    with pytest.raises(CorruptArtifact):
        _opened(tmp_path, change)


def test_to_open_one_loads_nothing_of_what_packs_one() -> None:
    code = (
        "import sys\nfrom penstock.runtime import bundle\nbundle.opened, bundle.is_running\n"
        "print([name for name in ('pathspec', 'penstock.stack.registry', 'networkx', 'pydantic',"
        " 'penstock.runtime.bundle.packing', 'importlib.metadata') if name in sys.modules])"
    )
    assert _python(code, cwd=HERE).stdout == b"[]\n"
