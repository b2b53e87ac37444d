"""Containers: the image, the command line and the surroundings of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import CannotRun
from penstock.model.resources import Resources
from penstock.stack.orchestrator import ENVIRONMENT
from penstock_kubeflow import environment, resources
from penstock_kubeflow.settings import Settings

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

INPUTS: Final = ("call", "run", "job")
"""What each task is told. All of it are texts."""

INSTALL: Final = """\
import os, subprocess, sys, tempfile
cut = sys.argv.index("--")
folder = tempfile.mkdtemp(prefix="penstock-requirements-") + "/site-packages"
pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-cache-dir"]
pip += ["--disable-pip-version-check", "--no-warn-script-location", "--target", folder]
if subprocess.call(pip + sys.argv[1:cut]):
    sys.exit("penstock: pip could not install the requirements: " + " ".join(sys.argv[1:cut]))
path = [folder, os.environ.get("PYTHONPATH", "")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
os.execv(sys.executable, [sys.executable] + sys.argv[cut + 1 :])
"""
"""Runs in the pod before everything else. No shell, no home and no writable root is needed. By its
name the folder is one of libraries: what is in any other counts as the project's own code."""


def placeholder(name: str) -> str:
    """What Kubeflow replaces in a command line by what a task is told."""
    return f"{{{{$.inputs.parameters['{name}']}}}}"


def command(
    said: Sequence[str], made: Settings, orchestrator: KubeflowOrchestrator
) -> tuple[str, ...]:
    """A command line as the image can run it: with its Python, and what it has to install."""
    _, *rest = _harmless(said)
    wanted = orchestrator.requirements if made.requirements is None else made.requirements
    first = ["-c", INSTALL, *wanted, "--"] if wanted else []
    return (orchestrator.python, *first, *rest)


def _harmless(said: Sequence[str]) -> list[str]:
    """Kubeflow replaces `{{…}}`, and Kubernetes `$(…)`. JSON can say the same in other letters."""
    argv = list(said)
    place = argv.index("--stack") + 1
    argv[place] = argv[place].replace("{{", "\\u007b\\u007b").replace("$(", "\\u0024(")
    return argv


def container(
    argv: Sequence[str],
    made: Settings,
    asked: Resources | None,
    orchestrator: KubeflowOrchestrator,
) -> Mapping[str, Any]:
    """A `PipelineContainerSpec`. Raises `CannotRun` if there is no image."""
    image = made.image or orchestrator.image
    for word in (image, argv[0]):
        if "{{" in word:
            raise CannotRun(f"{word!r} holds '{{{{', which Kubeflow takes for a placeholder.")
    if not image:
        raise CannotRun(
            f"The orchestrator {orchestrator.name!r} has no image for its pods.",
            hint=f"Type: penstock orchestrator update {orchestrator.name} --image=IMAGE",
        )
    said: dict[str, Any] = {"image": image, "command": list(argv[:3]), "args": list(argv[3:])}
    there = {**made.env, ENVIRONMENT: environment.text(orchestrator, image, made.requirements)}
    said["env"] = [{"name": name, "value": value} for name, value in there.items()]
    if wanted := resources.of(made, asked):
        said["resources"] = wanted
    return said
