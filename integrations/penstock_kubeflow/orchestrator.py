"""Kubeflow Pipelines as an orchestrator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from penstock.lazy import lazy
from penstock.model.component import Finding, Secret
from penstock.stack.engine import Schedule, Seen, Timing
from penstock.stack.orchestrator import MARK, Job, Observer, Orchestrator, Submitted
from penstock_kubeflow import options, settings

if TYPE_CHECKING:
    from penstock.model.graph import Call
    from penstock.stack.settings import ByFlavor
    from penstock_kubeflow import (
        compiling,
        document,
        environment,
        foreseen,
        health,
        provision,
        scheduling,
        states,
        submitting,
        ways,
    )
else:  # each is needed by a part of what is asked
    compiling = lazy("penstock_kubeflow.compiling")
    document = lazy("penstock_kubeflow.document")
    environment = lazy("penstock_kubeflow.environment")
    foreseen = lazy("penstock_kubeflow.foreseen")
    health = lazy("penstock_kubeflow.health")
    provision = lazy("penstock_kubeflow.provision")
    scheduling = lazy("penstock_kubeflow.scheduling")
    states = lazy("penstock_kubeflow.states")
    submitting = lazy("penstock_kubeflow.submitting")
    ways = lazy("penstock_kubeflow.ways")


@dataclass(frozen=True, kw_only=True)
class KubeflowOrchestrator(Orchestrator):
    """Runs every step as a container on Kubeflow Pipelines."""

    flavor: ClassVar[str] = "kubeflow"
    foreign: ClassVar[Mapping[str, str]] = options.FOREIGN
    public: ClassVar[Collection[str]] = ("defaults",)
    elsewhere: ClassVar[bool] = True
    reserves_resources: ClassVar[bool] = True
    settings: ClassVar[Collection[str]] = settings.NAMES
    makes: ClassVar[str] = (
        "the Kubernetes Secrets that its defaults name, of variables of this machine; "
        "what others have written is never removed"
    )

    image: str = ""
    """The container image of the steps: with Python, penstock and the libraries that they use."""
    host: str | None = None
    """The URL of Kubeflow Pipelines, for example https://kfp.example."""
    namespace: str = "kubeflow"
    """The Kubernetes namespace that runs belong to."""
    experiment: str | None = None
    """The experiment that runs belong to; by default Kubeflow's own."""
    service_account: str | None = None
    """The Kubernetes service account of the pods; by default Kubeflow's own."""
    token: Secret | None = None
    """The bearer token that the host lets one in with."""
    cookies: Secret | None = None
    """The cookies that the host lets one in with, for example authservice_session=…"""
    kube_context: str | None = None
    """The context of the kubeconfig file: Kubeflow is reached by it if no host is given, and `up`
    makes Secrets there."""
    ca_bundle: str = ""
    """A file with the certificates of authorities to trust instead of the usual ones."""
    verify_ssl: bool = True
    """Whether the host has to have a certificate that is trusted."""
    python: str = "python"
    """The Python of the image: a command or a path."""
    code: Literal["archive", "image"] = "archive"
    """How the project's code gets to the pods: as an archive in the artifact store; or it is in the
    image, where Python finds it."""
    requirements: Sequence[str] = ()
    """What pip installs whenever a pod starts, for example scikit-learn==1.5.2: convenient and
    slow."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Settings of all pods; those of a pipeline or a step come before them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("token", "cookies"):
            if isinstance(given := getattr(self, name), str):
                object.__setattr__(self, name, Secret(given))
        options.check(self)

    def placed(self, root: Path) -> Self:
        if not self.ca_bundle:
            return self
        return replace(self, ca_bundle=str(root / Path(self.ca_bundle).expanduser()))

    @property
    def ships_code(self) -> bool:
        return self.code == "archive"

    def environment_of(self, call: Call, settings: ByFlavor) -> str | None:
        said = foreseen.settings_of(self, call, settings)
        return environment.text(self, said.get("image"), said.get("requirements"))

    def settings_problems(
        self, pipeline: str, settings: ByFlavor, calls: Sequence[Call]
    ) -> Iterator[str]:
        yield from foreseen.problems(self, pipeline, settings, calls)

    def notes(
        self,
        settings: ByFlavor,
        calls: Sequence[Call],
        needed: Callable[[Call], Mapping[str, str]],
    ) -> Iterator[str]:
        yield from foreseen.notes(self, settings, calls, needed)

    def secret_variables(self, settings: ByFlavor, calls: Sequence[Call]) -> Collection[str]:
        return foreseen.secret_variables(self, settings, calls)

    def compile(self, job: Job) -> str:
        compiled = compiling.compile(job, self)
        document.checked(compiled)
        head = f"{MARK}: pipeline {job.plan.graph.name}\n"
        if compiled.service_account:
            head += f"# Its runs need the service account {compiled.service_account}\n"
        return head + document.text(compiled)

    def ready(self) -> None:
        ways.way(self).check()

    def submit(self, job: Job, observer: Observer) -> Submitted:
        return submitting.submitted(self, job, observer)

    def seen(self, run: str, remote_id: str | None = None) -> Seen | None:
        return states.seen(self, run, remote_id)

    def cancel(self, remote_id: str) -> None:
        states.cancel(self, remote_id)

    def schedule(self, job: Job, name: str, timing: Timing, *, at_once: int, mark: str) -> Schedule:
        return scheduling.schedule(self, job, name, timing, at_once, mark)

    def schedules(self) -> Sequence[Schedule]:
        return scheduling.schedules(self)

    def pause_schedule(self, remote_id: str) -> None:
        scheduling.pause(self, remote_id)

    def resume_schedule(self, remote_id: str) -> None:
        scheduling.resume(self, remote_id)

    def delete_schedule(self, remote_id: str) -> None:
        scheduling.delete(self, remote_id)

    @property
    def site(self) -> str:
        return provision.site(self)

    def up(self) -> Sequence[str]:
        return provision.up(self)

    def down(self, *, force: bool = False) -> Sequence[str]:
        return provision.down(self, force=force)

    def check(self) -> Iterator[Finding]:
        """What is needed for a run, and what the host says."""
        yield from health.of_options(self)
        yield from health.seen(self)
