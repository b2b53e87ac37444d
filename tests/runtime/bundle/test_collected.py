"""What a run collects: the project, code from elsewhere, no secret; and where it is looked for."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from urllib.parse import quote

import pytest
from projects import SHOP, collected, committed, sent, written

from penstock import step
from penstock.errors import CannotRun
from penstock.runtime.bundle import packing
from penstock.stack.project import Project

SECRET = "s3cr€t/'\"with odd\\signs"


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """What a test imports is forgotten, and so is where it was found."""
    known, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def _imported(folder: Path, *names: str) -> list[Path]:
    """Files of modules, imported from a folder."""
    sys.path.insert(0, str(folder))
    return [Path(__import__(name, fromlist=["x"]).__file__ or "") for name in names]


def _places(found: packing.Collected) -> set[str]:
    return {member.name for member in found.members}


def test_a_file_with_the_value_of_a_secret_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": f"1\n2\nKEY = {SECRET!r}\n", "b.py": "s3cr"})
    with pytest.raises(CannotRun) as caught:
        collected(tmp_path, secrets={"API_KEY": SECRET, "OTHER": "is nowhere"})
    assert f"{tmp_path}/a.py:3 has the value of the secret API_KEY" in caught.value.message
    assert SECRET not in str(caught.value)
    assert "b.py" not in str(caught.value)


SPELLINGS = {
    "as it is": SECRET,
    "in JSON": json.JSONEncoder().encode(SECRET),
    "in a URL": f"https://me:{quote(SECRET, safe='')}@host",
    "in a Secret of Kubernetes": b64encode(SECRET.encode()).decode(),
    "with a line's end": b64encode(f"{SECRET}\n".encode()).decode(),
    "as repr": repr(SECRET),
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_found_however_it_is_spelt(text: str, tmp_path: Path) -> None:
    written(tmp_path, {"conf/some.yaml": f"a: 1\nb: {text}\n"})
    with pytest.raises(CannotRun, match=r"some\.yaml:2 has the value of the secret TOKEN"):
        collected(tmp_path, secrets={"TOKEN": SECRET})


def test_a_secret_in_what_stays_here_is_no_reason(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": "", ".env": SECRET, "b": SECRET, ".penstockignore": "b"})
    assert sent(collected(tmp_path, secrets={"TOKEN": SECRET})) == [".penstockignore", "a.py"]


def test_a_value_too_short_to_be_masked_is_no_secret(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": "on = 1"})
    assert sent(collected(tmp_path, secrets={"SWITCH": "on", "EMPTY": ""})) == ["a.py"]


YAML = """\
artifact_stores:
  far:
    flavor: s3
    path: bucket
    secret: {key}
stacks:
  prod:
    artifact_store: far
    orchestrator: default
    secrets:
      DB_URL: "{url}"
"""


def test_a_secret_written_in_penstock_yaml_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"penstock.yaml": YAML.format(key="hunter22", url="postgres://me:pw@db")})
    with pytest.raises(CannotRun) as caught:
        collected(tmp_path)
    message = str(caught.value)
    assert "penstock.yaml:5:13 has a secret" in message
    assert "artifact store 'far'" in message
    assert "penstock.yaml:11:7 has a secret: DB_URL of the stack 'prod'" in message
    assert "hunter22" not in message
    assert "pw@db" not in message


def test_references_in_penstock_yaml_travel(tmp_path: Path) -> None:
    written(tmp_path, {"penstock.yaml": YAML.format(key="${env:KEY}", url="${env:URL}")})
    assert sent(collected(tmp_path)) == ["penstock.yaml"]


def test_the_folders_of_this_process_are_searched_in_its_order(tmp_path: Path) -> None:
    shop = written(tmp_path / "shop", {**SHOP, "tools/t.py": "", "tests/x.py": "", "docs/d.md": ""})
    sys.path[:0] = [f"{shop}/tools", f"{shop}/src", f"{shop}/nowhere", str(tmp_path / "other")]
    assert collected(shop).path == ("project/tools", "project/src", "project")


def test_a_package_that_is_installed_from_another_folder_travels(tmp_path: Path) -> None:
    written(tmp_path / "shop", SHOP)
    written(tmp_path / "lib/src", {
        "pricing/__init__.py": "", "pricing/deep/__init__.py": "", "pricing/deep/model.py": "",
        "pricing/table.csv": "1", "pricing/.env": "x", "pricing/__pycache__/a.pyc": "",
        "other/__init__.py": "",
    })  # fmt: skip
    files = _imported(tmp_path / "lib/src", "pricing.deep.model")
    sys.path.insert(0, f"{tmp_path}/shop/src")
    found = collected(tmp_path / "shop", files)
    more = {name for name in _places(found) if name.startswith("more/")}
    assert more == {
        *("more/0/pricing/__init__.py", "more/0/pricing/deep/__init__.py"),
        *("more/0/pricing/deep/model.py", "more/0/pricing/table.csv"),
    }
    assert found.path == ("project/src", "more/0", "project")
    assert ["pricing/.env" in remark for remark in found.remarks] == [True]


def test_modules_from_several_folders_keep_their_order(tmp_path: Path) -> None:
    written(tmp_path, {"shop/a.py": "", "x/late.py": "", "y/early.py": "", "y/unused.py": ""})
    late = _imported(tmp_path / "x", "late")
    early = _imported(tmp_path / "y", "early")
    found = collected(tmp_path / "shop", [*late, *early])
    assert found.path == ("more/0", "more/1", "project")
    assert _places(found) == {"more/0/early.py", "more/1/late.py", "project/a.py"}


def test_a_package_without_init_travels_as_what_is_in_that_folder(tmp_path: Path) -> None:
    written(tmp_path, {"shop/a.py": "", "one/ns/a/__init__.py": "", "two/ns/b/__init__.py": ""})
    sys.path.insert(0, f"{tmp_path}/two")
    files = _imported(tmp_path / "one", "ns.a", "ns.b")
    found = collected(tmp_path / "shop", files)
    assert _places(found) == {
        "more/0/ns/a/__init__.py", "more/1/ns/b/__init__.py", "project/a.py",
    }  # fmt: skip


def test_a_file_that_is_not_loaded_goes_with_its_package(tmp_path: Path) -> None:
    written(tmp_path, {"shop/a.py": "", "lib/pack/__init__.py": "", "lib/pack/lazily.py": ""})
    found = collected(tmp_path / "shop", [tmp_path / "lib/pack/lazily.py"])
    assert "more/0/pack/lazily.py" in _places(found)


def test_a_package_is_called_what_it_is_imported_as(tmp_path: Path) -> None:
    file = written(tmp_path, {"shop/lib/__init__.py": ""}) / "shop/lib/__init__.py"
    spec = spec_from_file_location("shoplib", file)
    assert spec is not None
    sys.modules["shoplib"] = module_from_spec(spec)
    found = collected(tmp_path / "shop", [file])
    assert "more/0/shoplib/__init__.py" in _places(found)


def test_a_package_around_the_project_travels(tmp_path: Path) -> None:
    written(tmp_path, {"pack/__init__.py": "", "pack/pyproject.toml": "", "pack/sub/m.py": ""})
    files = _imported(tmp_path, "pack.sub.m")
    found = collected(tmp_path / "pack", files)
    assert "more/0/pack/sub/m.py" in _places(found)
    assert found.path == ("more/0", "project")


def test_generated_code_travels_though_git_ignores_it(tmp_path: Path) -> None:
    committed(written(tmp_path, {".gitignore": "_version.py\nother.py\n", "a.py": ""}))
    written(tmp_path, {"pack/_version.py": "", "pack/other.py": ""})
    assert sent(collected(tmp_path, [tmp_path / "pack/_version.py"])) == [
        ".gitignore", "a.py", "pack/_version.py",
    ]  # fmt: skip


def test_code_below_a_link_travels(tmp_path: Path) -> None:
    written(tmp_path, {"shop/real/a.py": "", "lib/b.py": ""})
    (tmp_path / "shop/inside").symlink_to("real")
    (tmp_path / "shop/outside").symlink_to("../lib")
    files = [tmp_path / "shop/inside/a.py", tmp_path / "shop/outside/b.py"]
    found = collected(tmp_path / "shop", files)
    assert sent(found) == ["inside", "outside/b.py", "real/a.py"]


def test_where_a_module_is_found_without_any_folder_of_the_path_is_searched_as_well(
    tmp_path: Path,
) -> None:
    written(tmp_path, SHOP)
    files = _imported(tmp_path / "src", "shop.steps")
    sys.path.remove(f"{tmp_path}/src")  # an installation may find it by a hook of its own
    assert collected(tmp_path, files).path == ("project/src", "project")


STEPS = "from penstock import step\n\n\n@step\ndef one() -> int:\n    return 1\n"


def test_a_step_in_a_file_that_the_project_leaves_out_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {".penstockignore": "jobs/\n", "jobs/left_out_here.py": STEPS})
    sys.path.insert(0, f"{tmp_path}/jobs")
    one = __import__("left_out_here").one
    with pytest.raises(CannotRun, match=r"Steps are written in 'jobs/left_out_here\.py'"):
        packing.collected(Project(tmp_path), [one], [], {})


def test_a_step_that_nobody_can_find_is_refused(tmp_path: Path) -> None:
    made: dict[str, object] = {"__name__": "made_of_nothing"}
    exec(STEPS, made)

    def inside() -> object:
        @step
        def one() -> int:
            return 1

        return one

    for item, said in ((made["one"], "has no file"), (inside(), "inside a function")):
        with pytest.raises(CannotRun, match=said):
            packing.collected(Project(tmp_path), [item], [], {})  # type: ignore[list-item]


def test_what_is_typed_at_a_prompt_cannot_travel(tmp_path: Path) -> None:
    code = STEPS + (
        "from pathlib import Path\nfrom penstock.errors import CannotRun\n"
        "from penstock.runtime import bundle\nfrom penstock.stack.project import Project\n"
        "try:\n    bundle.packed(Project(Path()), [one], [], {})\n"
        "except CannotRun as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("'one' cannot run on another machine: what is typed at a prompt")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a.py", False), (".penstock/active", False), ("pyproject.toml", True)],
)
def test_all_that_a_user_has_is_no_project(
    name: str, is_one: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path, {name: ""})
    if is_one:
        assert sent(collected(tmp_path)) == [name]
    else:
        with pytest.raises(CannotRun, match="with all that is in it"):
            collected(tmp_path)


def test_what_is_installed_is_in_the_image(tmp_path: Path) -> None:
    written(tmp_path, {"shop/a.py": "", "env/site-packages/brought_along.py": STEPS})
    files = _imported(tmp_path / "env/site-packages", "brought_along")
    one = sys.modules["brought_along"].one
    found = packing.collected(Project(tmp_path / "shop"), [one], map(str, files), {})
    assert _places(found) == {"project/a.py"}


def test_remarks_name_what_stays(tmp_path: Path) -> None:
    written(tmp_path, {"a.py": "", ".env": "", "keys/id_rsa": ""})
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "out").symlink_to("/etc")
    credentials, links, others = collected(tmp_path).remarks
    assert credentials == (
        "not sent, as such files hold secrets: '.env', 'keys/id_rsa' "
        "(a line !NAME in .penstockignore sends one)"
    )
    assert links == f"not sent, as these links lead to nothing that is: '{tmp_path}/out'"
    assert others == f"not sent, as they are no files: '{tmp_path}/pipe'"
