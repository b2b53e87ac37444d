"""Makes the golden store of the format that this version writes: `python tests/golden/make.py`.

Once for each version of the format, and never again: the store that lies beside this file is what
that version of penstock left behind, and every later one must read it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from penstock.artifacts.identity import VERSION
from penstock.errors import RunFailed
from penstock.runtime import processes, provenance

HERE = Path(__file__).resolve().parent
TARGET = HERE / f"store-{VERSION}"
PROJECT = """
active: golden
artifact_stores:
  golden: {flavor: local, path: store, signing_key: "${env:GOLDEN_KEY}"}
stacks:
  golden: {orchestrator: default, artifact_store: golden}
"""


def main() -> None:
    if TARGET.exists():
        sys.exit(f"{TARGET} exists. A golden store is never made again.")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("penstock.yaml").write_text(PROJECT)
        shutil.copy(HERE / "golden_steps.py", ".")
        os.environ["GOLDEN_KEY"] = "golden"
        provenance.host = lambda: "golden"
        provenance.user = lambda: "golden"
        processes.machine = lambda: "golden"
        _fill(_steps())
        os.rmdir("store/tmp")
        shutil.copytree("store", TARGET)
    size = sum(file.stat().st_size for file in TARGET.rglob("*") if file.is_file())
    print(f"{TARGET}: {size:,} bytes")


def _steps() -> ModuleType:
    """The module, with a file name that is the same on every machine."""
    module = ModuleType("golden_steps")
    module.__file__ = "golden_steps.py"
    sys.modules["golden_steps"] = module
    exec(compile(Path("golden_steps.py").read_text(), "golden_steps.py", "exec"), vars(module))
    return module


def _fill(steps: ModuleType) -> None:
    """Two equal runs, of which the second takes all from the cache, and one that fails."""
    steps.everything.run(factor=0.5, given=steps.array() * 2)
    steps.everything.run(factor=0.5, given=steps.array() * 2)
    with suppress(RunFailed):
        steps.failing.run(factor=3.0)


if __name__ == "__main__":
    main()
