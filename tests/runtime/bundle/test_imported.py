"""Code that steps import and of which they use nothing but data travels as well."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from projects import committed, git, written

from penstock.runtime import bundle

STEP = "\n\n@step\ndef look() -> int:\n    return int({})\n"
PACK = """
import sys
from importlib import import_module
from pathlib import Path
from penstock.runtime import bundle
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.stack.project import Project
steps = [import_module(name).look for name in sys.argv[1:]]
found = Fingerprints()
for step in steps:
    found.of_step(step)
packed = bundle.packed(Project.find(Path.cwd()), steps, found.files, {})
sys.stdout.buffer.write(packed.data)
print(*packed.remarks, sep="\\n", file=sys.stderr)
"""
OPEN = """
import os, sys
from importlib import import_module
from pathlib import Path
from penstock.runtime import bundle
found = bundle.opened(Path("code").read_bytes(), Path("opened"))
sys.path[:0] = found.path
os.chdir(found.cwd)
for name in sys.argv[1:]:
    print(import_module(name).look.function())
"""
HEAD = "from penstock import step\n"
WAYS: Mapping[str, Mapping[str, str]] = {
    "data of a module": {"flow_N.py": f"{HEAD}import gen_N{STEP.format('gen_N.V')}"},
    "data by its name": {"flow_N.py": f"{HEAD}from gen_N import V{STEP.format('V')}"},
    "nothing of it": {"flow_N.py": f"{HEAD}import gen_N{STEP.format(7)}"},
    "what another module imports": {
        "flow_N.py": f"{HEAD}import other_N{STEP.format(7)}",
        "other_N.py": "from gen_N import *\n",
    },
    "what is imported by a text": {
        "flow_N.py": f"import importlib\n{HEAD}importlib.import_module('gen_N'){STEP.format(7)}"
    },
    "what lies beside it in a package": {
        "shop_N/flow.py": f"{HEAD}from . import V{STEP.format('V')}",
        "shop_N/__init__.py": "from ._gen import V\n",
    },
    "what a package finds by itself": {
        "shop_N/flow.py": f"{HEAD}import shop_N{STEP.format('shop_N._gen.V')}",
        "shop_N/__init__.py": (
            "import importlib, pkgutil\nfor item in pkgutil.iter_modules(__path__):\n"
            "    item.name == 'flow' or importlib.import_module(f'shop_N.{item.name}')\n"
        ),
    },
}
"""Files of a step, by the way in which it comes to what is generated; N is a number of its own."""


def _python(
    code: str, *words: str, cwd: Path, path: Path | str = ""
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(path)}
    command = [sys.executable, "-P", "-c", code, *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=True)


def _clone(tmp_path: Path, files: Mapping[str, str], ignored: Mapping[str, str]) -> Path:
    """A clone of a repository with these files, in which others were generated."""
    lines = "".join(f"/{name}\n" for name in ignored)
    committed(written(tmp_path / "origin", {"penstock.yaml": "", ".gitignore": lines, **files}))
    git(tmp_path, "clone", "origin", "clone")
    return written(tmp_path / "clone", ignored)


def _packed(folder: Path, *steps: str, before: str = "", path: str = "") -> tuple[bytes, str]:
    found = f"{folder}{os.pathsep}{path}"
    done = _python(before + PACK, *(steps or ["flow"]), cwd=folder, path=found)
    return done.stdout, done.stderr.decode()


def _names(tmp_path: Path, data: bytes) -> set[str]:
    bundle.opened(data, tmp_path / "looked")
    found = {str(path.relative_to(tmp_path / "looked")) for path in tmp_path.rglob("looked/**/*.*")}
    shutil.rmtree(tmp_path / "looked")
    return found


def _run(tmp_path: Path, data: bytes, *steps: str) -> list[str]:
    """What steps give where nothing of the project is."""
    (tmp_path / "code").write_bytes(data)
    return _python(OPEN, *(steps or ["flow"]), cwd=tmp_path).stdout.decode().split()


def test_what_steps_import_runs_elsewhere_though_git_ignores_it(tmp_path: Path) -> None:
    files, ignored, steps = {}, {}, []
    for number, way in enumerate(WAYS.values()):
        for name, text in way.items():
            files[name.replace("_N", f"_{number}")] = text.replace("_N", f"_{number}")
        package = "shop_N/flow.py" in way
        ignored[f"shop_{number}/_gen.py" if package else f"gen_{number}.py"] = "V = 7\n"
        steps.append(f"shop_{number}.flow" if package else f"flow_{number}")
    clone = _clone(tmp_path, files, ignored)
    data, said = _packed(clone, *steps)
    for name in ("clone", "origin"):
        shutil.rmtree(tmp_path / name)
    assert _run(tmp_path, data, *steps) == ["7"] * len(WAYS)
    assert "sent, as steps import them, though such files mostly stay here: 'gen_0.py'" in said


def test_what_no_step_imports_stays_here_though_it_is_loaded(tmp_path: Path) -> None:
    ignored = {"gen.py": "V = 7\n", "mine.py": "V = 1\n"}
    clone = _clone(tmp_path, {"flow.py": f"{HEAD}import gen{STEP.format(7)}"}, ignored)
    data, said = _packed(clone, before="import mine\n")
    names = _names(tmp_path, data)
    assert "project/gen.py" in names
    assert "project/mine.py" not in names
    assert "mine.py" not in said


def test_what_is_ignored_here_or_holds_credentials_is_not_sent_for_being_imported(
    tmp_path: Path,
) -> None:
    text = f"{HEAD}import gen, id_rsa_tools{STEP.format(7)}"
    ignored = {"gen.py": "", "id_rsa_tools.py": ""}
    clone = _clone(tmp_path, {"flow.py": text, ".penstockignore": "/gen.py\n"}, ignored)
    data, said = _packed(clone)
    assert not _names(tmp_path, data) & {"project/gen.py", "project/id_rsa_tools.py"}
    assert "not sent, as such files hold secrets: 'id_rsa_tools.py'" in said


def test_a_library_in_the_folder_is_in_the_image(tmp_path: Path) -> None:
    library = {"env/lib/site-packages/brought.py": "V = 7\n", "env/pyvenv.cfg": ""}
    files = {"flow.py": f"{HEAD}from brought import V{STEP.format('V')}"}
    clone = _clone(tmp_path, files, library)
    data, _ = _packed(clone, path=f"{clone}/env/lib/site-packages")
    assert not any("brought" in name for name in _names(tmp_path, data))


@pytest.mark.parametrize("text", ["import pricing{}", "from pricing import V{}"])
def test_code_of_another_folder_travels_for_a_constant(text: str, tmp_path: Path) -> None:
    value = "pricing.V" if text.startswith("import") else "V"
    clone = _clone(tmp_path, {"flow.py": HEAD + text.format(STEP.format(value))}, {})
    ignored = {"src/pricing/_version.py": "V = 7\n"}
    init = {"src/pricing/__init__.py": "from pricing._version import V\n"}
    (tmp_path / "lib").mkdir()
    lib = _clone(tmp_path / "lib", init, ignored)
    data, _ = _packed(clone, path=f"{lib}/src")
    for name in ("clone", "lib"):
        shutil.rmtree(tmp_path / name)
    assert _run(tmp_path, data) == ["7"]
