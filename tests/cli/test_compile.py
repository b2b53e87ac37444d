"""`penstock pipeline compile`: what an engine elsewhere would be handed, and what is sent."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.cli import target
from penstock.runtime import bundle, environments
from penstock.stack.project import Project
from penstock.stack.registry import Registry

SHARED = '''\
from dataclasses import dataclass
from typing import ClassVar

from penstock import LocalArtifactStore


@dataclass(frozen=True, kw_only=True)
class Shared(LocalArtifactStore):
    """A folder that other machines have, too."""

    flavor: ClassVar[str] = "shared"

    @property
    def only_here(self):
        return False
'''
INSTALLED = {
    "shared_store.py": SHARED,
    "shared-1.0.dist-info/METADATA": "Name: shared\nVersion: 1.0\n",
    "shared-1.0.dist-info/RECORD": "shared_store.py,,\n",
    "shared-1.0.dist-info/entry_points.txt": (
        "[penstock.artifact_stores]\nshared = shared_store:Shared\n"
    ),
}
"""A package with a store: pods have it before they have the project's code."""

PLACES = '''\
import os
from dataclasses import dataclass
from typing import ClassVar

from penstock.stack.orchestrator import MARK, Orchestrator


@dataclass(frozen=True, kw_only=True)
class Engine(Orchestrator):
    """Writes down a command for each step."""

    flavor: ClassVar[str] = "engine"
    elsewhere: ClassVar[bool] = True
    settings: ClassVar[tuple] = ("env",)

    image: str = "ml:3"
    baked: bool = False
    leaks: bool = False

    @property
    def ships_code(self):
        return not self.baked

    def environment_of(self, call, settings):
        return self.image

    def compile(self, job):
        lines = [" ".join(job.command(call, run="RUN", job="JOB")) for call in job.pending]
        return "\\n".join([MARK, *lines, *([os.environ["CANARY"]] if self.leaks else []), ""])

    def submit(self, job, observer):
        raise AssertionError
'''
YAML = """\
flavors:
  orchestrator: {engine: "outposts:Engine"}
artifact_stores:
  shared: {flavor: shared, path: ../store}
orchestrators:
  engine: {flavor: engine}
  leaking: {flavor: engine, leaks: true}
  baked: {flavor: engine, baked: true}
stacks:
  prod: {orchestrator: engine, artifact_store: shared}
  here: {orchestrator: default, artifact_store: shared}
  leaking: {orchestrator: leaking, artifact_store: shared, secrets: {CANARY: "${env:CANARY}"}}
  baked: {orchestrator: baked, artifact_store: shared}
active: prod
"""
FLOW = """\
from penstock import pipeline, step
from helper import scaled

@step
def load(count: int) -> list[int]:
    return list(range(count))

@step
def train(rows: list[int], rate: float) -> float:
    return scaled(sum(rows), rate)

@step
def report(result: float) -> str:
    return str(result)

@pipeline
def training(count: int = 3, rate: float = 0.5) -> str:
    if count < 0:
        raise ValueError("fewer than none")
    return report(train(load(count), rate))
"""
CANARY = "canary-7f3a99"


@pytest.fixture(autouse=True)
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project; what is imported of it is forgotten again."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in {
        "penstock.yaml": YAML,
        "outposts.py": PLACES,
        "flow.py": FLOW,
        "helper.py": "def scaled(x, rate):\n    return x * rate\n",
    }.items():
        (folder / name).write_text(text)
    packages = tmp_path / "site-packages"
    for name, text in INSTALLED.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(text)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", ["", *sys.path, str(packages)])
    monkeypatch.setenv("PYTHONPATH", str(packages))
    monkeypatch.setenv("CANARY", CANARY)
    yield folder
    forget(tmp_path)


def forget(folder: Path) -> None:
    for name, module in list(sys.modules.items()):
        if str(folder) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def compiled(penstock: Any, tmp_path: Path) -> Callable[..., Any]:
    """Compiles as a process of its own would: with the files as they are now."""

    def call(*words: str) -> Any:
        forget(tmp_path)
        return penstock("pipeline", "compile", "flow.py:training", *words)

    return call


def stored(tmp_path: Path) -> dict[str, tuple[int, int]]:
    """All files of the store, and what says whether one was written again; but not what says that
    something was compiled."""
    found = [each for each in (tmp_path / "store").rglob("*") if each.is_file()]
    found = [each for each in found if each.parent.name != "compiled"]
    return {each.name: (each.stat().st_mtime_ns, each.stat().st_size) for each in found}


def called(text: str) -> list[str]:
    """The steps that a text runs."""
    return re.findall(r"--call (\S+)", text)


def note_environment() -> None:
    """What the first process of the image does."""
    store = Registry(Project.find()).stack("prod").artifact_store
    environments.noted(store, "ml:3")


def test_all_that_a_text_names_is_in_the_store(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    said = compiled()

    assert said.code == 0
    assert called(said.out) == ["load", "train", "report"]
    for flag in ("plan", "record", "code"):
        assert all(
            digest in stored(tmp_path) for digest in re.findall(rf"--{flag} (\S+)", said.out)
        )
    assert "for the stack 'prod' (penstock.yaml" in said.err
    assert f"What it needs is in {tmp_path / 'store'}; it can run wherever" in said.err


def test_a_file_has_the_text_and_stdout_has_nothing(compiled: Callable[..., Any]) -> None:
    text = compiled().out
    said = compiled("-o", "out.yaml")

    assert (said.code, said.out) == (0, "")
    assert Path("out.yaml").read_text() == text
    assert "Written: out.yaml" in said.err
    assert not list(Path().glob(".out.yaml*"))


def test_compiled_again_it_is_the_same_and_nothing_is_written_again(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    compiled("-o", "out.yaml")
    text, before = Path("out.yaml").read_text(), stored(tmp_path)
    compiled("-o", "out.yaml")  # which lies in the project, and is no part of it

    assert Path("out.yaml").read_text() == text
    assert stored(tmp_path) == before
    (noted,) = (tmp_path / "store" / "compiled").iterdir()
    assert noted.name in re.findall(r"--record (\S+)", text)


def test_without_upload_the_text_is_the_same_and_nothing_is_sent(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    compiled()
    Path("helper.py").write_text("def scaled(x, rate):\n    return x + 2 * rate\n")
    before = stored(tmp_path)
    quiet = compiled("--no-upload")
    assert stored(tmp_path) == before
    assert len(list((tmp_path / "store" / "compiled").iterdir())) == 1
    assert "Nothing was sent" in quiet.err
    loud = compiled()

    assert quiet.out == loud.out
    assert re.findall(r"--code (\S+)", loud.out)[0] in stored(tmp_path).keys() - before.keys()


def test_without_upload_a_store_must_have_an_id(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    said = compiled("--no-upload")

    assert said.code == 3
    assert "is new" in said.err
    assert "Compile once without --no-upload" in said.err
    assert stored(tmp_path) == {}


def test_the_code_that_is_sent_is_the_projects(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    digest = re.findall(
        r"--code (\S+)", compiled("-o", "out.yaml") and Path("out.yaml").read_text()
    )
    (found,) = (tmp_path / "store/objects").rglob(digest[0])
    manifest = bundle.opened(found.read_bytes(), tmp_path / "opened")

    names = {each.name for each in Path(manifest.cwd).iterdir()}
    assert {"flow.py", "helper.py", "outposts.py", "penstock.yaml"} <= names
    assert "out.yaml" not in names


def test_results_that_are_there_are_left_out(compiled: Callable[..., Any], penstock: Any) -> None:
    penstock("pipeline", "run", "flow.py:training", "--stack", "here")
    unknown = compiled()
    assert called(unknown.out) == ["load", "train", "report"]
    assert "note: what is installed in 'ml:3' is not known yet" in unknown.err
    note_environment()

    Path("helper.py").write_text("def scaled(x, rate):\n    return x + 2 * rate\n")
    said = compiled()
    assert called(said.out) == ["train", "report"]
    assert "2 steps, 1 left out (in the cache)" in said.err
    assert called(compiled("--all").out) == ["load", "train", "report"]


def test_where_all_is_there_nothing_is_written(
    compiled: Callable[..., Any], penstock: Any, tmp_path: Path
) -> None:
    penstock("pipeline", "run", "flow.py:training", "--stack", "here")
    note_environment()
    before = stored(tmp_path)
    said = compiled("-o", "out.yaml")

    assert (said.code, said.out) == (0, "")
    assert "nothing to do" in said.err
    assert "the cache has all 3 steps" in said.err
    assert not Path("out.yaml").exists()
    assert stored(tmp_path) == before
    assert called(compiled("--all").out) == ["load", "train", "report"]


def test_the_flags_of_the_pipeline_count(compiled: Callable[..., Any], tmp_path: Path) -> None:
    texts = {compiled().out, compiled("--count", "4").out}
    assert len(texts) == 2
    said = compiled("--cuont", "4")
    assert (said.code, said.out) == (2, "")
    assert "--count" in said.err


def test_what_the_pipeline_itself_raises_is_shown(compiled: Callable[..., Any]) -> None:
    said = compiled("--count", "-1")

    assert said.code == 1
    assert "Pipeline 'training' stopped with ValueError: fewer than none" in said.err


def test_an_orchestrator_that_compiles_nothing_says_who_does(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    said = compiled("--stack", "here")

    assert said.code == 3
    assert "The orchestrator 'default' (flavor local) of the stack 'here'" in said.err
    assert "whose orchestrators compile: 'prod', 'leaking', 'baked'" in said.err
    assert "--stack prod" in said.err
    Path("penstock.yaml").write_text("")
    assert "penstock orchestrator register NAME --flavor kubeflow" in compiled().err


@pytest.mark.parametrize(
    ("target", "words"),
    [("nowhere/out.yaml", "Type: mkdir -p nowhere"), ("folder", "is a folder")],
)
def test_a_file_that_can_never_be_written_is_told_before_anything_is_done(
    compiled: Callable[..., Any], tmp_path: Path, target: str, words: str
) -> None:
    Path("folder").mkdir()
    said = compiled("-o", target)

    assert (said.code, said.out) == (1, "")
    assert words in said.err
    assert stored(tmp_path) == {}


def test_a_text_with_a_secret_in_it_is_kept_back(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    said = compiled("--stack", "leaking", "-o", "out.yaml")

    assert said.code == 3
    assert "has the secret 'CANARY' in it" in said.err
    assert CANARY not in said.err
    assert not Path("out.yaml").exists()
    assert stored(tmp_path).keys() <= {"store.json"}


SETTINGS = f'(settings={{"engine": {{"env": ["x{CANARY}"]}}}})'

WRITTEN = {
    "a setting of a step": (
        FLOW.replace("@step\ndef train", f"@step{SETTINGS}\ndef train"),
        YAML,
        "Setting 'env' for 'engine' of step train",
    ),
    "a setting of the pipeline": (
        FLOW.replace("@pipeline", f"@pipeline{SETTINGS}"),
        YAML,
        "Setting 'env' for 'engine' of pipeline training",
    ),
    "an option": (
        FLOW,
        YAML.replace("leaks: true", f"image: ml-{CANARY}"),
        "Option 'image' of the orchestrator 'leaking'",
    ),
    "a parameter": (
        FLOW.replace("rate: float) -> float", 'rate: float, who: str = "a") -> float').replace(
            "train(load(count), rate)", f'train(load(count), rate, "{CANARY}")'
        ),
        YAML,
        "Parameter 'who' of step train",
    ),
}


@pytest.mark.parametrize("where", WRITTEN)
def test_a_secret_that_is_written_somewhere_is_refused_with_its_place(
    where: str, compiled: Callable[..., Any], tmp_path: Path
) -> None:
    flow, yaml, words = WRITTEN[where]
    Path("flow.py").write_text(flow)
    Path("penstock.yaml").write_text(yaml.replace("leaks: true", "leaks: false"))
    said = compiled("--stack", "leaking")

    assert (said.code, said.out) == (3, "")
    assert f"{words}" in said.err
    assert "holds the secret 'CANARY'" in said.err
    assert CANARY not in said.err
    assert not any(CANARY.encode() in each.read_bytes() for each in files(tmp_path / "store"))


def files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def test_a_secret_of_a_step_does_not_get_into_anything(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    Path("flow.py").write_text(
        FLOW.replace("@step\ndef train", '@step(secrets=["CANARY"])\ndef train')
    )
    said = compiled()

    assert said.code == 0
    assert CANARY not in said.out + said.err
    assert not any(CANARY.encode() in each.read_bytes() for each in files(tmp_path / "store"))


def test_a_dockerfile_has_penstock_and_what_the_project_declares(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    python = f"FROM python:{sys.version_info[0]}.{sys.version_info[1]}-slim"
    pip = "RUN pip install --no-cache-dir"
    reached = compiled("--dockerfile").out.splitlines()
    assert reached[0] == "# For the steps of 'training' on the stack 'prod'."
    assert reached[1] == python
    assert reached[-1] == "# nothing"

    Path("helper.py").write_text("import yaml\n\ndef scaled(x, rate):\n    return yaml.dump(x)\n")
    assert re.fullmatch(rf"{pip} pyyaml==[\d.]+", compiled("--dockerfile").out.splitlines()[-1])
    Path("requirements.txt").write_text("pyyaml\n")
    assert compiled("--dockerfile").out.splitlines()[-2:] == [
        "COPY requirements.txt /tmp/", f"{pip} -r /tmp/requirements.txt"
    ]  # fmt: skip
    Path("pyproject.toml").write_text(
        '[project]\nname = "mine"\ndependencies = ["pyyaml>=6", "Penstock[s3]>=0.1", "numpy"]\n'
    )
    assert compiled("--dockerfile").out.splitlines()[-1] == f"{pip} 'pyyaml>=6' numpy"
    baked = compiled("--dockerfile", "--stack", "baked").out.splitlines()
    assert baked[-3:] == ["WORKDIR /app", "COPY . .", "ENV PYTHONPATH=/app"]
    assert stored(tmp_path) == {}


def test_a_dockerfile_goes_into_a_file(compiled: Callable[..., Any]) -> None:
    said = compiled("--dockerfile", "-o", "Dockerfile")

    assert (said.code, said.out) == (0, "")
    assert Path("Dockerfile").read_text().startswith("# For the steps of")


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (None, "RUN pip install --no-cache-dir 'penstock[s3]==9.9'"),
        ({"url": "file:///src/penstock", "dir_info": {"editable": True}},
         'RUN pip install --no-cache-dir "$(ls /tmp/penstock-*.whl)[s3]"'),
    ],
)  # fmt: skip
def test_a_dockerfile_installs_penstock_as_it_is_installed_here(
    origin: Any, line: str, flow: Path, tmp_path: Path
) -> None:
    about = tmp_path / "site/penstock-9.9.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: penstock\nVersion: 9.9\n")
    (about / "entry_points.txt").write_text(
        "[penstock.artifact_stores]\ns3 = penstock_s3:S3ArtifactStore [s3]\n"
    )
    if origin is not None:
        (about / "direct_url.json").write_text(json.dumps(origin))
    (flow / "penstock.yaml").write_text(
        YAML.replace("{flavor: shared, path: ../store}", "{flavor: s3, path: s3://bucket/p}")
    )
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from penstock.cli.main import main; sys.exit(main())",
         "pipeline", "compile", "flow.py:training", "--dockerfile"],
        env={"PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path), "CANARY": "x"},
        capture_output=True, text=True, check=True, cwd=flow,
    )  # fmt: skip

    assert line in done.stdout.splitlines()
    if origin is not None:
        assert "pip wheel --no-deps --wheel-dir . /src/penstock" in done.stdout


def test_a_key_is_printed_and_kept_nowhere(penstock: Any, tmp_path: Path) -> None:
    before = files(tmp_path)
    keys = [penstock("key", "new") for _ in range(2)]

    assert all(re.fullmatch(r"[0-9a-f]{64}\n", each.out) for each in keys)
    assert keys[0].out != keys[1].out
    assert "signing_key: ${env:NAME}" in keys[0].err
    assert files(tmp_path) == before


def test_a_file_of_somebody_else_is_left_as_it_is(
    compiled: Callable[..., Any], tmp_path: Path
) -> None:
    source = Path("flow.py").read_text()
    before = stored(tmp_path)
    said = compiled("-o", "flow.py")

    assert said.code == 1
    assert "flow.py is there, and was not written by this command" in said.err
    assert Path("flow.py").read_text() == source
    assert stored(tmp_path) == before


def test_what_is_no_file_is_written_into_and_not_replaced(compiled: Callable[..., Any]) -> None:
    os.mkfifo("pipe")
    reading = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert compiled("-o", "pipe").code == 0
        assert called(os.read(reading, 1 << 16).decode()) == ["load", "train", "report"]
    finally:
        os.close(reading)
    assert Path("pipe").is_fifo()


def test_a_file_of_an_earlier_day_does_not_stay_where_nothing_is_left_to_do(
    compiled: Callable[..., Any], penstock: Any
) -> None:
    compiled("-o", "out.yaml")
    penstock("pipeline", "run", "flow.py:training", "--stack", "here")
    note_environment()
    said = compiled("-o", "out.yaml")

    assert said.code == 0
    assert "Removed: out.yaml" in said.err
    assert not Path("out.yaml").exists()


def test_python_compiles_as_well(compiled: Callable[..., Any]) -> None:
    text = compiled().out
    training = target.find("flow.py:training", "here").on("prod")
    own = training.with_options(progress=False).compile()
    # Who chose the stack is in the record of the run.
    assert re.sub(r"--record \S+", "", own) == re.sub(r"--record \S+", "", text)
