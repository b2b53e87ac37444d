"""Pods without a cluster: each is a process on this machine, started where nothing of the project
is, with an environment of its own."""

import json
import os
import shlex
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from penstock import LocalArtifactStore, Run, Stack
from penstock.api.pipeline import wanted
from penstock.artifacts.values import Values
from penstock.runtime import compiling
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.ledger import Ledger
from penstock.stack.orchestrator import Job, Observer, Orchestrator

PROJECT = """
import os
import signal
import sys
import time
from pathlib import Path

from penstock import Retry, context, pipeline, step
from told import tell

try:
    from big import fit
    from small import report
except OSError:
    pass

@step
def load(count: int) -> list[int]:
    print("loading", count)
    return list(range(count))

@step(on_start=tell("start"), on_success=tell("success"), on_failure=tell("failure"))
def double(x: int) -> int:
    if x == int(os.environ.get("BROKEN", -1)):
        raise ValueError(f"no {x}")
    return 2 * x

@step
def total(xs: list[int]) -> int:
    return sum(xs)

@pipeline(progress=False)
def summing(count: int = 5) -> int:
    return total(double.map(load(count)))

@pipeline(progress=False)
def fixed(count: int = 5) -> int:
    return total(double.map(list(range(count))))

@step(retries=Retry(times=2, on=[OSError]))
def picky(kind: str) -> int:
    raise {"os": OSError, "value": ValueError}[os.environ.get("KIND", kind)](kind)

@pipeline(progress=False)
def picking(kind: str) -> int:
    return picky(kind)

@step(retries=1, on_start=tell("start"), on_success=tell("success"), on_failure=tell("failure"))
def shaky(kind: str) -> int:
    if os.environ.get("BROKEN"):
        raise ValueError(kind)
    return 1

@pipeline(progress=False)
def shaking(kind: str = "x") -> int:
    return shaky(kind)

@step
def wait(seconds: float) -> int:
    print("waiting", flush=True)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.05)
    return 1

@pipeline(progress=False, on_start=tell("begin"), on_success=tell("good"), on_failure=tell("bad"))
def waiting(seconds: float = 0.0) -> int:
    return wait(seconds)

class Model:
    weight = 3

@step
def train() -> Model:
    return Model()

@step
def use(model: Model) -> int:
    return model.weight

@pipeline(progress=False)
def training() -> int:
    return use(train())

@step(secrets=["DB_URL"])
def secretive() -> int:
    return len(os.environ["DB_URL"])

@pipeline(progress=False, on_start=tell("begin"), on_success=tell("good"))
def asking() -> int:
    return secretive()

@step
def placed() -> list[str]:
    return [os.getcwd(), os.environ.get("HOME", ""), *sys.path]

@pipeline(progress=False)
def placing() -> list[str]:
    return placed()

@pipeline(progress=False)
def loading(count: int) -> list[int]:
    return load(count)

LOADED = sorted(sys.modules)
USED = time.process_time()

@step
def costs() -> tuple[list[str], float]:
    return LOADED, USED

@pipeline(progress=False)
def costing() -> tuple[list[str], float]:
    return costs()

@pipeline(progress=False)
def reporting() -> int:
    return report(fit())

@step(name="fitted")
def apart() -> int:
    import elsewhere
    return elsewhere.VALUE

@pipeline(progress=False)
def parting() -> int:
    return total([apart()])
"""

TOLD = '''
"""What hooks were told, in a file, from whichever process."""
import os

def tell(what):
    def hook(record):
        print(what, os.environ.get("DB_URL"))
        with open(os.environ.get("TOLD", os.devnull), "a") as file:
            name = getattr(record, "call", None) or record.pipeline
            file.write(f"{what} {name} {record.status}\\n")
    return hook
'''


BIG = """
import os
from penstock import step
if "SMALL" in os.environ:
    raise OSError("libcuda.so.1: cannot open shared object file")
@step
def fit() -> int:
    return 3
"""

SMALL = """
from penstock import step
@step
def report(score: int) -> int:
    return score + 1
"""

NOTING = '''
from dataclasses import dataclass
from typing import ClassVar
from penstock.stack.orchestrator import Orchestrator

@dataclass(frozen=True, kw_only=True)
class Noting(Orchestrator):
    """What a pod makes of the engine: it knows in which image it is."""
    flavor: ClassVar[str] = "engine"
    def environment_of(self, call, settings):
        return "image"
    def submit(self, job, observer):
        raise NotImplementedError
'''


@dataclass(frozen=True, kw_only=True)
class Shared(LocalArtifactStore):
    """A folder that all machines have, as a network file system would be."""

    @property
    def only_here(self) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class Engine(Orchestrator):
    """Hands out command lines; whoever asks runs them."""

    flavor: ClassVar[str] = "engine"
    elsewhere: ClassVar[bool] = True

    def submit(self, job: Job, observer: Observer) -> None:
        run = job.plan.run
        for call in job.pending:
            subprocess.run(job.command(call, run=run, job=f"job-{run}"), check=True, cwd="/")

    def compile(self, job: Job) -> str:
        maps = {call.id.rpartition(".")[0] for call in job.plan.graph.calls.values() if call.item}
        shares = [f"{name}:{part}" for name in maps for part in ("0/2", "1/2")]
        calls = [*job.pending, *(f"{call}:{part}" for call in job.pending
                                 for part in ("0/2", "1/2")), *shares]  # fmt: skip
        argv = {call: job.command(call, run="RUN", job="JOB") for call in calls}
        return json.JSONEncoder().encode({**argv, "--end": job.ending(run="RUN", job="JOB")})


STARTED: list["subprocess.Popen[str]"] = []
"""Pods that a test has started."""


def end_all() -> None:
    """Whatever has become of the test, none of them goes on."""
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.communicate()


@dataclass
class Cluster:
    """A compiled pipeline that can be carried out again and again: as jobs, each of them a run."""

    folder: Path
    commands: Mapping[str, Sequence[str]]
    job: str = field(default_factory=lambda: str(uuid.uuid4()))
    run: str = "new"

    @property
    def store(self) -> LocalArtifactStore:
        return store_in(self.folder)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.store)

    @property
    def records(self) -> Run[Any]:
        """The run that this job is."""
        run = json.loads((self.folder / "store" / "jobs" / self.job).read_text())["run"]
        ledger = self.ledger
        return Run(ledger, Values(ledger.store, Fingerprints().of_names), ledger.run(run))

    def argv(self, call: str, **changed: str | None) -> list[str]:
        """The command line of a pod; `changed` are flags that say something else, or nothing."""
        words = [{"RUN": self.run, "JOB": self.job}.get(each, each) for each in self.commands[call]]
        for flag, text in changed.items():
            if f"--{flag}" in words:
                at = words.index(f"--{flag}")
                words[at : at + 2] = [] if text is None else [f"--{flag}", text]
        return words

    def start(
        self, call: str, *, before: Sequence[str] = (), environment: Mapping[str, str] = {},
        only: Mapping[str, str] | None = None,
        **changed: str | None,
    ) -> "subprocess.Popen[str]":  # fmt: skip
        """Start a pod, in an empty folder and with nothing of this process's environment. With
        `only` these variables there is nothing else."""
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home")}
        variables |= {"TMPDIR": str(self.folder / "tmp"), "PWD": "/nowhere"}
        (self.folder / "tmp").mkdir(exist_ok=True)
        if only is not None:
            variables = {"PATH": os.environ["PATH"], **only}
        process = subprocess.Popen(
            [*before, *self.argv(call, **changed)], cwd=empty, env={**variables, **environment},
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        STARTED.append(process)
        return process

    def pod(self, call: str, code: int | None = 0, **how: Any) -> "Ended":
        """Run a pod to its end, which is to be this exit code."""
        process = self.start(call, **how)
        out, err = process.communicate(timeout=60)
        assert code is None or process.returncode == code, (process.returncode, out, err)
        return Ended(process.returncode, out, err)


@dataclass(frozen=True)
class Ended:
    """What a pod has left."""

    code: int
    out: str
    err: str


def store_in(folder: Path, **options: Any) -> Shared:
    return Shared(name="there", path=str(folder / "store"), **options)


def stack_in(folder: Path, **options: Any) -> Stack:
    return Stack("prod", orchestrator=Engine(), artifact_store=store_in(folder, **options))


def write_project(folder: Path) -> None:
    (folder / "penstock.yaml").write_text("flavors: {orchestrator: {engine: 'noting:Noting'}}")
    (folder / "noting.py").write_text(NOTING)
    (folder / "project.py").write_text(PROJECT)
    (folder / "big.py").write_text(BIG)
    (folder / "small.py").write_text(SMALL)
    (folder / "told.py").write_text(TOLD)


def compiled(
    folder: Path, pipeline: Any, *args: Any, stack: Stack | None = None, everything: bool = True
) -> Cluster:
    """A pipeline as this engine is handed it."""
    chosen = pipeline.on(stack or stack_in(folder))
    made = compiling.compiled(wanted(chosen, args, {}), everything=everything)
    return Cluster(folder, json.loads(made.text))


PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"

CHECKOUT = Path(__file__).resolve().parents[2]

_CONFINED = """
folder="$1"; shift
mount -t tmpfs tmpfs /mnt
mkdir /mnt/tmp /mnt/folder
mount --bind "$folder" /mnt/folder
mount --rbind /tmp /mnt/tmp
mount -t tmpfs tmpfs /tmp
mkdir -p "$folder"
mount --bind /mnt/folder "$folder"
for place in CHECKOUT; do
    case "$place" in /tmp/*) mkdir -p "$place"; mount --bind "/mnt$place" "$place";; esac
done
umount -l /mnt
mount -t proc proc /proc
mount -o remount,bind,ro /
cd "$folder/empty"
exec unshare --user --map-user=12345 --map-group=12345 \
    setpriv --bounding-set=-all --inh-caps=-all "$@"
"""


def confined(folder: Path) -> list[str]:
    """What starts a process as the first one of a container: a user whom nobody knows, without any
    capability, on a root that is read-only but for /tmp and this folder."""
    (folder / "empty").mkdir(exist_ok=True)
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
    script = _CONFINED.replace("CHECKOUT", shlex.join([str(CHECKOUT), sys.prefix]))
    return [*apart, "/bin/sh", "-euc", script, "sh", str(folder)]


def why_not_confined(folder: Path) -> str:
    """Why no process can be started like that here; empty if one can."""
    facts = "id -u; cat /proc/self/status; touch /here || true; echo $$; touch /tmp/there"
    try:
        done = subprocess.run(
            [*confined(folder), "/bin/sh", "-c", facts], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        return str(error)
    fits = "12345\n" in done.stdout and "CapEff:\t0000000000000000" in done.stdout
    is_first = done.stdout.endswith("\n1\n") and "Read-only" in done.stderr
    return "" if fits and is_first and done.returncode == 0 else done.stderr or done.stdout
