"""A pod as a container: what stands in front of the pod's own command.

    python container_pod.py HOW.json COMMAND...

It runs the command in the image that the pod names, with the memory that the pod may have, with
the variables of the pod and no other, and with the `flags` of `docker run` in the file; docker's
client has the `variables` there. The exit code is the container's, and in the pod's folder stands
why, as a cluster says it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from docker_daemon import LABEL, docker

from penstock.model.resources import quantity

OF_PROCESSES: Final = ("HOME", "PATH", "TMPDIR")
"""Variables that a pod has if it is a process of this machine."""

ENDED: Final = "{{.State.ExitCode}} {{.State.OOMKilled}}"


def main(words: Sequence[str]) -> int:
    """The exit code."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # docker gets it, too, and passes it on
    how = json.loads(Path(words[0]).read_text())
    pod = json.loads(os.environ["STANDIN_POD"])
    variables = {
        name: value for name, value in pod["variables"].items() if name not in OF_PROCESSES
    }
    named = Path(pod["folder"], "container")
    os.environ.update(how["variables"])
    start = [
        "docker", "run", "--pull=never", f"--label={LABEL}", f"--cidfile={named}", *how["flags"],
        *limits(pod["container"]), *(f"--env={name}" for name in variables),
        pod["container"]["image"], *words[1:],
    ]  # fmt: skip
    code = subprocess.run(start, env={**variables, **how["variables"]}, check=False).returncode
    return ended(named.read_text(), Path(pod["folder"], "reason")) if named.exists() else code


def limits(container: Mapping[str, Any]) -> Sequence[str]:
    """Memory as it was asked for, and no other in place of it."""
    limit = quantity(container.get("resources", {}).get("resourceMemoryLimit", ""))
    if limit is None:
        return []
    return [f"--memory={round(limit)}", f"--memory-swap={round(limit)}"]


def ended(container: str, reason: Path) -> int:
    """The exit code of a container, which is taken away."""
    code, killed = docker("inspect", f"--format={ENDED}", container).split()
    docker("rm", "--force", container)
    if killed == "true":
        reason.write_text(f"OOMKilled (exit code {code})")
    elif code != "0":
        reason.write_text(f"Error (exit code {code})")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
