"""A compiled pipeline, carried out by kfp's own local runner as if on another machine.

    python by_kfp.py FOLDER

carries out `pipeline.yaml` there with `options.json`, and ends with 0 if kfp says that all tasks
have succeeded, with 1 if one has failed, with 2 if it could not be carried out (see FOLDER/kfp),
with 3 if SIGTERM has ended it. kfp takes seconds to import: see `hatchery`.

What is kfp's: reading the two documents, order, nested graphs, retries with their pauses (since
2.15; before, `retryPolicy` is ignored), the exit task, inputs and placeholders. What is not:

* its runner takes Python components only, and so any container is let through here;
* its job ids have eight digits, and can meet: here they are unique, or given;
* placeholders that only this runner resolves are refused: see `placeholders`;
* the environment of a pod is empty but for what the specs say, secrets and config maps included;
  its working directory, home and temporary folder are its own and empty: see `pod_folders`.

It ignores what is of a cluster: images, resources, volumes, nodes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
import uuid
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from placeholders import unresolved
from pod_folders import Cluster, Ended


def carry_out(folder: Path, options: Mapping[str, Any]) -> int:
    """Have kfp carry out the pipeline in a folder. 0 if it says that all has succeeded."""
    from kfp import components, local

    text = (folder / "pipeline.yaml").read_text("utf-8")
    documents = [*yaml.safe_load_all(text), {}]
    if found := list(unresolved(documents[0], documents[1])):
        raise ValueError("Not resolved by the real backend:\n" + "\n".join(found))
    platforms = documents[1].get("platforms", {})
    configs = platforms.get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
    cluster = Cluster(folder, options)
    if options.get("lives"):
        signal.signal(signal.SIGTERM, lambda *_: cluster.end())
    _adapt(cluster, configs, options.get("job") or str(uuid.uuid4()))
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


class Place(threading.local):
    """Where kfp is among nested graphs, in each of its threads."""

    tasks: tuple[str, ...] = ()
    container: Any = None


def _adapt(cluster: Cluster, configs: Mapping[str, Any], job: str) -> None:
    """Have kfp's runner start pods of this cluster."""
    from kfp.local import placeholder_utils, subprocess_task_handler, task_dispatcher

    implementation = task_dispatcher.run_single_task_implementation
    handler = subprocess_task_handler.SubprocessTaskHandler
    now = Place()

    def run_single(**given: Any) -> Any:
        executor = type(given["executor_spec"])()
        executor.CopyFrom(given["executor_spec"])
        label = given["component_spec"].executor_label
        for name, value in cluster.variables(configs.get(label, {}), now.tasks):
            executor.container.env.add(name=name, value=value)
        now.container = executor.container
        return implementation(**{**given, "executor_spec": executor})

    task_dispatcher.run_single_task_implementation = run_single
    placeholder_utils.make_random_id = lambda: job
    handler.validate_image = lambda *_: None
    handler.validate_not_container_component = lambda *_: None
    subprocess_task_handler.run_local_subprocess = lambda full_command, env_vars=None: (
        cluster.start(full_command, env_vars or {}, now.tasks, now.container)
    )
    subprocess_task_handler.replace_python_executable = lambda command, _: command
    _tell_of_tasks(cluster, now)


def _tell_of_tasks(cluster: Cluster, now: Place) -> None:
    """Have each task told of, graphs included, with the names of those that it is in."""
    from kfp.local import status
    from kfp.local.orchestrator import enhanced_dag_orchestrator, task_executor

    def told(carry_out: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*, task_name: str, **given: Any) -> Any:
            outer = now.tasks
            if outer and outer[-1] == task_name and carry_out is single:
                return carry_out(task_name=task_name, **given)  # told of as a task of its graph
            now.tasks = (*outer, task_name)
            cluster.tell(task=now.tasks, state="RUNNING")
            try:
                found = carry_out(task_name=task_name, **given)
            finally:
                now.tasks = outer
            done = found[1] == status.Status.SUCCESS
            cluster.tell(task=(*outer, task_name), state="SUCCEEDED" if done else "FAILED")
            return found

        return wrapped

    single = task_executor.execute_single_task
    task_executor.execute_single_task = told(single)
    enhanced_dag_orchestrator.execute_task = told(enhanced_dag_orchestrator.execute_task)


def main(folder: Path) -> int:
    """The exit code. What kfp says goes into a file."""
    with (folder / "kfp").open("a", buffering=1) as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    warnings.simplefilter("ignore")  # kfp's, of what has no effect on this machine
    try:
        return carry_out(folder, json.loads((folder / "options.json").read_text()))
    except Ended:
        return 3
    except BaseException:
        traceback.print_exc()
        return 2


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
