"""A compiled pipeline, carried out by kfp's own local runner as if on another machine.

    python by_kfp.py PIPELINE.yaml FOLDER [OPTIONS.json]
    python by_kfp.py

The first carries out one file, and ends with 0 if kfp says that all tasks have succeeded, with 1 if
one has failed, with 2 if it could not be carried out (see FOLDER/kfp). The second does that with
each line of its input, a JSON list of those words, and answers each with the code: kfp takes
seconds to import, and does so once.

What is kfp's: reading the two documents, order, nested graphs, retries with their pauses (since
2.15; before, `retryPolicy` is ignored), the exit task, inputs and placeholders. What is not:

* its runner takes Python components only, and so any container is let through here;
* its job ids have eight digits, and can meet: here they are unique, or given;
* placeholders that only this runner resolves are refused: see `placeholders`;
* the environment of a pod is empty but for what the specs say, secrets and config maps included;
  its working directory, home and temporary folder are its own and empty.

It ignores what is of a cluster: images, resources, volumes, nodes. Each pod that was started is a
line of FOLDER/pods: the task, its command, its exit code. What they say is in FOLDER/said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final

import yaml
from placeholders import unresolved

PATH: Final = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
"""Where a pod finds its programs: an image has its Python there."""


class Cluster:
    """What pods find, and a record of those that were started."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        self.folder = folder
        self._given: Mapping[str, str] = options.get("environment", {})
        self._secrets: Mapping[str, Mapping[str, str]] = options.get("secrets", {})
        self._configs: Mapping[str, Mapping[str, str]] = options.get("configs", {})
        self._numbers = count()
        (folder / "pods").touch()

    def variables(self, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What the platform spec of an executor adds to the environment of its containers."""
        for kind, objects in (("secret", self._secrets), ("configMap", self._configs)):
            for item in config.get(f"{kind}AsEnv", ()):
                name = (
                    item.get(f"{kind}Name")
                    or item[f"{kind}NameParameter"]["runtimeValue"]["constant"]
                )
                yield from _from_object(kind, name, item, objects)

    def start(self, command: Sequence[str], variables: Mapping[str, str]) -> int:
        """One container: its exit code."""
        place = self.folder / f"pod-{next(self._numbers)}"
        for name in ("work", "home", "tmp"):
            (place / name).mkdir(parents=True)
        own = {"PATH": PATH, "HOME": str(place / "home"), "TMPDIR": str(place / "tmp")}
        with (self.folder / "said").open("ab") as said:
            done = subprocess.run(
                command, cwd=place / "work", env={**own, **self._given, **variables},
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False,
            )  # fmt: skip
        with (self.folder / "pods").open("a") as pods:
            pods.write(json.dumps({"command": list(command), "code": done.returncode}) + "\n")
        return done.returncode


def _from_object(
    kind: str, name: str, item: Mapping[str, Any], objects: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str]]:
    for pair in item["keyToEnv"]:
        value = objects.get(name, {}).get(pair[f"{kind}Key"])
        if value is not None:
            yield pair["envVar"], value
        elif not item.get("optional"):
            raise ValueError(f"CreateContainerConfigError: no {pair} in {kind} {name!r}")


def carry_out(file: Path, folder: Path, options: Mapping[str, Any]) -> int:
    """Have kfp carry out the pipeline in a file. 0 if it says that all has succeeded."""
    from kfp import components, local

    text = file.read_text("utf-8")
    documents = [*yaml.safe_load_all(text), {}]
    if found := list(unresolved(documents[0], documents[1])):
        raise ValueError("Not resolved by the real backend:\n" + "\n".join(found))
    platforms = documents[1].get("platforms", {})
    configs = platforms.get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
    _adapt(Cluster(folder, options), configs, options.get("job") or str(uuid.uuid4()))
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(folder / "outputs"),
        workspace_root=str(folder / "workspace"),  # it is removed in the end
    )
    pipeline = components.load_component_from_text(text)
    try:
        pipeline(**options.get("parameters", {}))
    except RuntimeError as error:
        if "finished with status" not in str(error):
            raise
        return 1
    return 0


def _adapt(cluster: Cluster, configs: Mapping[str, Any], job: str) -> None:
    """Have kfp's runner start pods of this cluster."""
    from kfp.local import placeholder_utils, subprocess_task_handler, task_dispatcher

    implementation = task_dispatcher.run_single_task_implementation
    handler = subprocess_task_handler.SubprocessTaskHandler

    def run_single(**given: Any) -> Any:
        executor = type(given["executor_spec"])()
        executor.CopyFrom(given["executor_spec"])
        for name, value in cluster.variables(
            configs.get(given["component_spec"].executor_label, {})
        ):
            executor.container.env.add(name=name, value=value)
        return implementation(**{**given, "executor_spec": executor})

    task_dispatcher.run_single_task_implementation = run_single
    placeholder_utils.make_random_id = lambda: job
    handler.validate_image = lambda *_: None
    handler.validate_not_container_component = lambda *_: None
    subprocess_task_handler.run_local_subprocess = lambda full_command, env_vars=None: (
        cluster.start(full_command, env_vars or {})
    )
    subprocess_task_handler.replace_python_executable = lambda command, _: command


def main(words: Sequence[str]) -> int:
    """One file."""
    file, folder, *more = map(Path, words)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "kfp").open("a", buffering=1) as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    warnings.simplefilter("ignore")  # kfp's, of what has no effect on this machine
    try:
        return carry_out(file, folder, json.loads(more[0].read_text()) if more else {})
    except BaseException:
        traceback.print_exc()
        return 2


def serve() -> None:
    """One file after the other, each in a process that has imported kfp already."""
    warnings.simplefilter("ignore")
    from kfp import components, local  # noqa: F401

    for line in sys.stdin:
        if not (child := os.fork()):
            code = main(json.loads(line))
            sys.stdout.flush()
            os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if sys.argv[1:] else serve())
