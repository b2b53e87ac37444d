"""What Argo and the agent that reports of it would say of a run: made of what its pods have left in
its folder, so that nothing of it is lost with the server.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_PHASES = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "RUNNING": "Running", "PENDING": "Pending"}
BY_DEADLINE = "Max duration limit exceeded"
"""What Argo says of a workflow that somebody has terminated."""


@dataclass(slots=True)
class Node:
    """One of a workflow, as Argo has them: tasks, their drivers and their containers."""

    id: str
    name: str
    display_name: str
    kind: str
    state: str
    begun: float
    over: float = 0
    message: str = ""
    children: list[str] = field(default_factory=list)


class Workflow:
    """A run as it was at a time."""

    def __init__(self, name: str, created: float, folder: Path, now: float) -> None:
        self.name = name
        self.created = created
        self.terminated = 0.0
        self._read(folder, now)

    def _read(self, folder: Path, now: float) -> None:
        found = _lines(folder / "events")
        self.events = [each for each in found if each["at"] <= now]
        text = (folder / "over").read_text() if (folder / "over").exists() else "null"
        over = json.loads(text)
        self.over: Mapping[str, Any] | None = over if over and over["at"] <= now else None

    @property
    def begun(self) -> float:
        """When its first task has started; 0 if none has."""
        return float(self.events[0]["at"]) if self.events else 0.0

    @property
    def state(self) -> str:
        """In the words of the server, but for what is terminated."""
        if self.over:
            return "SUCCEEDED" if self.over["code"] == 0 else "FAILED"
        return "RUNNING" if self.events else "PENDING"

    @property
    def message(self) -> str:
        """Argo's, of the whole."""
        if not self.over or not (code := self.over["code"]):
            return ""
        if self.terminated:
            return BY_DEADLINE
        if code == 2:
            return "the stand-in could not carry it out: see the file kfp in the folder of the run"
        return "child failed" if code > 0 else "pod deleted"

    def nodes(self) -> list[Node]:
        """All that were reached so far; the one of the workflow first."""
        if not self.events:
            return []
        end = self.over["at"] if self.over else 0.0
        state = self.state
        whole = Node(
            self._id(self.name), self.name, self.name, "DAG", state, self.begun, end, self.message
        )
        driver = self._driver(f"{self.name}.root-driver", self.begun)
        root = Node(
            self._id(f"{self.name}.root"),
            f"{self.name}.root",
            "root",
            "DAG",
            state,
            self.begun,
            end,
        )
        whole.children += [driver.id]
        driver.children += [root.id]
        return [whole, driver, root, *self._tasks(root)]

    def _tasks(self, root: Node) -> Iterator[Node]:
        nodes: dict[tuple[str, ...], Node] = {(): root}
        pods: dict[int, Node] = {}
        for event in self.events:
            task = tuple(event.get("task", ()))
            if event.get("state") == "RUNNING":
                yield from self._reached(task, nodes, event["at"])
            elif "state" in event:
                nodes[task].state, nodes[task].over = event["state"], event["at"]
            elif "pid" in event or "waits" in event:
                pods[event["pod"]] = node = self._pod(event, nodes[task])
                yield node
            elif "code" in event and event["pod"] in pods:
                node = pods[event["pod"]]
                node.state = "FAILED" if event["code"] else "SUCCEEDED"
                node.over, node.message = event["at"], event["why"]
        if self.over:
            for node in (*nodes.values(), *pods.values()):
                if not node.over:  # it was under way when all was ended
                    node.state, node.over = "FAILED", self.over["at"]
                    node.message = node.message or self.message

    def _reached(
        self, task: tuple[str, ...], nodes: dict[tuple[str, ...], Node], at: float
    ) -> Iterator[Node]:
        outer = nodes[task[:-1]]
        name = f"{outer.name}.{task[-1]}"
        driver = self._driver(f"{name}-driver", at)
        node = Node(self._id(name), name, task[-1], "DAG", "RUNNING", at)
        outer.children.append(driver.id)
        driver.children.append(node.id)
        nodes[task] = node
        yield driver
        yield node

    def _pod(self, event: Mapping[str, Any], task: Node) -> Node:
        tries = len(task.children)
        name = f"{task.name}.executor" + (f"({tries})" if tries else "")
        node = Node(self._id(name), name, name.rpartition(".")[2], "Pod", "RUNNING", event["at"])
        if "waits" in event:
            node.state, node.message = "PENDING", event["waits"]
        task.children.append(node.id)
        return node

    def _driver(self, name: str, at: float) -> Node:
        short = name.rpartition(".")[2]
        return Node(self._id(name), name, short, "Pod", "SUCCEEDED", at, at)

    def _id(self, name: str) -> str:
        return self.name if name == self.name else f"{self.name}-{zlib.crc32(name.encode())}"

    def details(self, run: str) -> list[dict[str, Any]]:
        """`task_details` of the API: no reason is among them."""
        created = stamp(self.created)
        return [
            {
                "run_id": run, "task_id": f"{run}-{number}", "display_name": node.display_name,
                "create_time": created, "start_time": stamp(node.begun),
                "end_time": stamp(node.over) if node.over else "0001-01-01T00:00:00Z",
                "state": node.state,
                "state_history": [{"update_time": stamp(node.begun), "state": node.state}],
                "child_tasks": [{"pod_name": each} for each in node.children],
            }
            for number, node in enumerate(self.nodes())
        ]  # fmt: skip

    def manifest(self, run: str, namespace: str) -> dict[str, Any]:
        """The workflow of Argo itself."""
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {
                "name": self.name, "namespace": namespace, "labels": {"pipeline/runid": run},
            },
            "spec": {"activeDeadlineSeconds": 0} if self.terminated else {},
            "status": {
                "phase": _PHASES[self.state],
                "startedAt": stamp(self.created),
                "finishedAt": stamp(self.over["at"]) if self.over else None,
                "message": self.message,
                "nodes": {
                    node.id: {
                        "id": node.id, "name": node.name, "displayName": node.display_name,
                        "type": node.kind, "phase": _PHASES[node.state],
                        "startedAt": stamp(node.begun),
                        "finishedAt": stamp(node.over) if node.over else None,
                        "children": node.children,
                        **({"message": node.message} if node.message else {}),
                    }
                    for node in self.nodes()
                },
            },
        }  # fmt: skip


def stamp(seconds: float) -> str:
    """A time as the server writes it, in whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines(file: Path) -> Sequence[Mapping[str, Any]]:
    """But for one that is being written."""
    if not file.exists():
        return []
    *lines, _ = file.read_text().split("\n")
    return [json.loads(line) for line in lines]
