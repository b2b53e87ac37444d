"""What is told of pods before any has started: what they surely lack, and what they may."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from penstock import Resources, Stack, pipeline, step
from penstock.errors import BadConfiguration, CannotRun, StackError
from penstock.model.graph import Call
from penstock.model.step import Step
from penstock.runtime.elsewhere import there
from penstock.runtime.secrets import Secrets
from penstock.stack import other_machines
from penstock.stack.checked import check_given
from penstock.stack.component import ComponentSpec
from penstock.stack.orchestrator import AGAIN, ENVIRONMENT, Job, Observer
from penstock.stack.settings import ByFlavor
from penstock.testing import MemoryArtifactStore
from penstock_kubeflow import KubeflowOrchestrator
from penstock_kubeflow.open_secrets import open_secrets
from penstock_kubeflow.settings import NAMES

IMAGE = "ghcr.io/acme/ml:3"


@dataclass(frozen=True, kw_only=True)
class Shared(MemoryArtifactStore):
    """As if pods could reach it, too."""

    flavor: ClassVar[str] = "shared"

    region: str = ""

    @property
    def only_here(self) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class Carrying(KubeflowOrchestrator):
    """Takes jobs, and does nothing with them."""

    def submit(self, job: Job, observer: Observer) -> None: ...


def made(kubeflow: KubeflowOrchestrator, **options: Any) -> Stack:
    store = Shared(region=options.pop("region", ""))
    return Stack("prod", orchestrator=kubeflow, artifact_store=store, **options)


@step
def train() -> int:
    return 1


def training(settings: Mapping[str, Any] | None = None, **options: Any) -> Step[[], int]:
    """A step with these settings for the flavor."""
    said = {"settings": {"kubeflow": settings}} if settings else {}
    return train.with_options(**said, **options)


def test_what_reaches_nobody_is_refused_before_anything_is_recorded() -> None:
    """Though it can be compiled."""

    @pipeline(progress=False)
    def training() -> int:
        return train()

    stack = made(KubeflowOrchestrator(name="kf", image=IMAGE))
    drawn = training.on(stack)
    drawn.compile()
    before = {entry.key for entry in stack.artifact_store.tree("")}
    with pytest.raises(StackError, match="The orchestrator 'kf' has no host") as told:
        drawn.run()
    assert told.value.exit_code == 3
    assert {entry.key for entry in stack.artifact_store.tree("")} == before


def refusal(kubeflow: KubeflowOrchestrator, one: Step[[], int], **options: Any) -> list[str]:
    """The lines that tell why a run is refused, without what every one begins with."""

    def training() -> int:
        return one()

    drawn = pipeline(progress=False, **options)(training)
    with pytest.raises(CannotRun) as caught:
        drawn.on(made(kubeflow)).run()
    _, *lines = str(caught.value).splitlines()
    return [line.replace(__file__, "file.py") for line in lines]


def notes(
    kubeflow: KubeflowOrchestrator,
    *steps: Step[[], int],
    settings: ByFlavor | None = None,
    **options: Any,
) -> list[str]:
    calls = [Call(f"train-{at}", each, {}) for at, each in enumerate(steps)]
    needed = partial(other_machines.variables, made(kubeflow, **options))
    return list(kubeflow.notes(settings or {}, calls, needed))


# What is refused.


def test_nothing_is_recorded_of_a_run_that_is_refused() -> None:
    one = training()

    @pipeline(progress=False)
    def refused() -> int:
        return one()

    store = Shared(path="a place of its own")
    stack = Stack("prod", orchestrator=KubeflowOrchestrator(), artifact_store=store)
    with pytest.raises(CannotRun, match="there is no image to run in"):
        refused.on(stack).run()

    assert list(store.keys("")) == []


def test_without_an_image_nothing_can_run() -> None:
    (line,) = refusal(Carrying(name="kf"), training())

    assert line.startswith("  step train (file.py:")
    assert "there is no image to run in. Type: penstock orchestrator update kf --image=…" in line
    assert "--dockerfile" in line


@pytest.mark.parametrize("where", ["orchestrator", "defaults", "pipeline", "step"])
def test_an_image_may_be_named_by_each_who_may_say_settings(where: str) -> None:
    said = {"image": IMAGE}
    kubeflow = KubeflowOrchestrator(
        image=IMAGE if where == "orchestrator" else "",
        defaults=said if where == "defaults" else {},
    )
    settings = {"kubeflow": said} if where == "pipeline" else {}
    call = Call("train", training(said) if where == "step" else training(), {})

    assert list(kubeflow.settings_problems("p", settings, [call])) == []


def test_all_that_is_wrong_with_settings_is_told_with_who_says_it() -> None:
    lines = refusal(
        Carrying(image=IMAGE),
        training({"imagee": "a", "cpu": "2", "kubernetes_namespace": "ml"}),
        settings={"kubeflow": {"pods": 0}},
    )

    assert [line.partition(":")[0] for line in lines] == ["  pipeline training"] + 3 * [
        "  step train (file.py"
    ]
    assert "setting 'pods': 0 does not fit" in lines[0]
    assert "there is no setting 'imagee'. Did you mean 'image'?" in lines[1]
    assert "there is no setting 'kubernetes_namespace'" in lines[2]
    assert "setting 'cpu': '2' does not fit" in lines[3]


def test_what_is_wrong_only_together_is_told_of_the_step() -> None:
    (line,) = refusal(
        Carrying(image=IMAGE, defaults={"claims": {"/data": "images"}}),
        training({"claims": {"/more": "images"}}),
    )

    assert line.startswith("  step train (file.py:")
    assert "'images' is mounted 2 times" in line


def test_settings_of_other_flavors_are_for_other_stacks() -> None:
    kubeflow = KubeflowOrchestrator(image=IMAGE)
    settings = {"elsewhere": {"anything": 1}}

    assert list(kubeflow.settings_problems("p", settings, [Call("a", training(), {})])) == []


# Secrets in the open.


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_TOKEN", "hf_abcdefgh"),
        ("DB_PASSWORD", "abcdefgh"),
        ("password", "123456"),
        ("WANDB_API_KEY", "abcdefgh"),
        ("AWS_SECRET_ACCESS_KEY", "abcdefgh"),
        ("AZURE_CLIENT_SECRET", "abcdefgh"),
        ("GITHUB_PAT", "abcdefgh"),
        ("DATABASE_URL", "postgres://me:abcdefgh@db.example/x"),
        ("BLOB", "https://x.example/a?sig=abcdefgh"),
        ("ANYTHING", "${env:HOME}"),
    ],
)
def test_a_secret_is_not_written_into_a_pipeline(name: str, value: str) -> None:
    (line,) = refusal(Carrying(image=IMAGE), training({"env": {name: value}}))

    assert line.startswith("  step train (file.py:")
    assert f"has the variable {name!r} in env" in line
    assert f"secret_env: {{{name}: SECRET/KEY}}" in line
    assert "abcdefgh" not in line
    assert "123456" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKENIZERS_PARALLELISM", "false"),
        ("MAX_TOKENS", "4096"),
        ("MAX_TOKEN", "512"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/gcp/key.json"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"),
        ("KEYBOARD", "us"),
        ("MONKEY", "george"),
        ("SSH_AUTH", "false"),
        ("PATH_PATTERN", "a/*.csv"),
        ("HTTP_PROXY", "http://proxy.example:3128"),
        ("PRICE", "$5"),
    ],
)
def test_what_only_sounds_like_a_secret_is_let_through(name: str, value: str) -> None:
    assert list(open_secrets("step a", {name: value})) == []


def test_a_secret_is_found_wherever_settings_are_said() -> None:
    said = {"env": {"HF_TOKEN": "hf_abcdefgh"}}

    (line,) = refusal(Carrying(image=IMAGE), training(), settings={"kubeflow": said})
    assert line.startswith("  pipeline training has the variable 'HF_TOKEN'")


def test_an_eye_that_reads_only_names_is_noticed() -> None:
    """The planted defect: a password in the value of an innocent name."""

    def by_name(who: str, variables: Mapping[str, Any]) -> Iterator[str]:
        yield from open_secrets(who, dict.fromkeys(variables, "x"))

    innocent = {"DATABASE_URL": "postgres://me:abcdefgh@db.example/x"}
    assert list(by_name("step a", innocent)) == []
    assert len(list(open_secrets("step a", innocent))) == 1


@pytest.mark.parametrize("kind", ["env", "secret_env", "config_env", "field_env"])
@pytest.mark.parametrize("name", [ENVIRONMENT, AGAIN])
def test_what_penstock_sets_in_pods_is_not_for_others_to_set(kind: str, name: str) -> None:
    said = {kind: {name: "spec.nodeName" if kind == "field_env" else "a/b"}}
    told = f"setting {kind!r}: {name!r} is penstock's own: leave it out."

    (line,) = refusal(Carrying(image=IMAGE), training(said))
    assert line.startswith("  step train (file.py:")
    assert told in line
    (line,) = refusal(Carrying(image=IMAGE), training(), settings={"kubeflow": said})
    assert line == f"  pipeline training: {told}"
    with pytest.raises(BadConfiguration, match="penstock's own: leave it out"):
        KubeflowOrchestrator(defaults=said)


def test_what_else_begins_like_it_may_be_given() -> None:
    """The secrets of a stack come so if they are written out."""
    said = {"secret_env": {"PENSTOCK_SECRET_stack_DB_URL": "a/b"}}
    call = Call("train", training(said), {})

    assert list(KubeflowOrchestrator(image=IMAGE).settings_problems("p", {}, [call])) == []


# Secrets that pods are given.


def test_variables_from_secrets_are_known_whoever_gives_them() -> None:
    kubeflow = KubeflowOrchestrator(image=IMAGE, defaults={"secret_env": {"A": "s/a", "B": "s/b"}})
    settings = {"kubeflow": {"secret_env": {"C": "s/c"}}, "other": {"secret_env": {"X": "s/x"}}}
    told = {"secret_env": {"D": "s/d"}, "env": {"B": "plain here"}, "config_env": {"E": "c/e"}}
    calls = [Call("train", training(told), {}), Call("more", training(), {})]

    assert set(kubeflow.secret_variables(settings, calls)) == {"A", "B", "C", "D"}
    assert set(KubeflowOrchestrator().secret_variables({}, calls[1:])) == set()


def test_their_values_on_this_machine_are_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = {"A": "hunter22", "PORT": "5432", "SWITCH": "true", "EMPTY": ""}
    here |= {"USER_OF_BUCKET": "minio", "REGION": "us-east-1"}
    for name, value in here.items():
        monkeypatch.setenv(name, value)
    secret = dict.fromkeys([*here, "NOT_HERE"], "s/k")
    kubeflow = KubeflowOrchestrator(image=IMAGE)
    said = {"kubeflow": {"secret_env": secret}}
    calls = [Call("train", training(), {})]

    secrets = Secrets(made(kubeflow), calls, tmp_path, said)
    assert secrets.known == {"A": "hunter22"}
    assert secrets.mask.text("so hunter22, true") == "so ***, true"
    assert Secrets(made(kubeflow), calls, tmp_path).known == {}


@pytest.mark.parametrize("kind", ["env", "annotations", "labels"])
def test_a_setting_that_holds_one_is_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAN", "hunter22")
    kubeflow = Carrying(image=IMAGE, defaults={"secret_env": {"CAN": "s/k"}})
    one = training({kind: {"word": "hunter22"}})

    @pipeline(progress=False)
    def telling() -> int:
        return one()

    with pytest.raises(CannotRun) as caught:
        telling.on(made(kubeflow)).run()
    assert f"Setting {kind!r} for 'kubeflow' of step train" in str(caught.value)
    assert "holds the secret 'CAN'" in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_in_a_pod_they_are_known_though_the_host_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what else only this machine has."""
    monkeypatch.delenv("NOT_IN_PODS", raising=False)
    options = {
        "host": "${env:NOT_IN_PODS}", "image": IMAGE,
        "defaults": {"secret_env": {"CAN": "s/k"}, "image": "${env:NOT_IN_PODS}"},
    }  # fmt: skip
    spec = ComponentSpec("orchestrator", "kf", "kubeflow", options)
    store = Shared()
    specs = [spec, ComponentSpec.of(store)]
    data = {"name": "prod", "components": [each.to_data() for each in specs], "steps": {}}

    stack = there.stack(data, store)
    assert stack.orchestrator.elsewhere
    assert set(stack.orchestrator.secret_variables({}, [])) == {"CAN"}


# What pods may lack.


def test_variables_that_the_store_needs_are_named_if_pods_are_not_given_them() -> None:
    (note,) = notes(KubeflowOrchestrator(name="kf", image=IMAGE), training(), region="${env:PLACE}")

    assert note == (
        "pods are not given PLACE (artifact store 'shared', region): unless the image has it, say "
        "secret_env: {PLACE: SECRET/KEY} in defaults of the orchestrator 'kf'"
    )


def test_so_are_the_secrets_of_steps() -> None:
    kubeflow = KubeflowOrchestrator(name="kf", image=IMAGE)
    asking = training(secrets=["DB_URL", "OTHER"])

    (note,) = notes(kubeflow, training(), asking, secrets={"OTHER": "${env:BEHIND}"})
    assert "DB_URL (step train-1), BEHIND (step train-1)" in note


@pytest.mark.parametrize("kind", ["env", "secret_env", "config_env", "field_env"])
def test_what_pods_are_given_in_any_way_is_not_named(kind: str) -> None:
    kubeflow = KubeflowOrchestrator(image=IMAGE)
    said = {kind: {"PLACE": "spec.nodeName" if kind == "field_env" else "a/b"}}

    assert notes(kubeflow, training(said), region="${env:PLACE}") == []
    assert notes(kubeflow, training(), settings={"kubeflow": said}, region="${env:PLACE}") == []


def test_a_step_has_to_be_given_its_own_secrets_only() -> None:
    kubeflow = KubeflowOrchestrator(image=IMAGE)
    asking = training({"secret_env": {"DB_URL": "database/url"}}, secrets=["DB_URL"])

    assert notes(kubeflow, training(), asking) == []


@pytest.mark.parametrize(
    ("image", "noted"),
    [
        ("python:3.11-slim", True),
        ("docker.io/library/python:3.11", True),
        (IMAGE, True),
        ("nvcr.io/nvidia/pytorch:24.01-py3", False),
        ("ghcr.io/acme/ml-cuda12:3", False),
        ("tensorflow/tensorflow:2.16.1-gpu", False),
        ("ghcr.io/acme/ml:3-rocm", False),
    ],
)
@pytest.mark.parametrize("how", ["resources", "accelerator", "accelerator_count"])
def test_an_accelerator_wants_an_image_that_looks_as_if_it_could_use_one(
    image: str, noted: bool, how: str
) -> None:
    steps: Mapping[str, Step[[], int]] = {
        "resources": training(resources=Resources(gpu=1)),
        "accelerator": training({"accelerator": "amd.com/gpu"}),
        "accelerator_count": training({"accelerator_count": 2}),
    }
    found = notes(KubeflowOrchestrator(image=image), steps[how])

    assert bool(found) is noted
    assert all(f"its image {image} does not look as if it could use one" in each for each in found)


def test_no_accelerator_is_no_matter() -> None:
    kubeflow = KubeflowOrchestrator(image="python:3.11")
    steps: Sequence[Step[[], int]] = [
        training(),
        training(resources=Resources(cpu=1)),
        training(resources=Resources(gpu=0)),
        training({"accelerator": "nvidia.com/gpu", "accelerator_count": 0}),
    ]

    assert notes(kubeflow, *steps) == []


# What is told of the whole stack.


def test_a_check_notes_that_nobody_loads_what_another_machine_has_pickled() -> None:
    stack = Stack("prod", orchestrator=KubeflowOrchestrator(), artifact_store=Shared())
    told = str(check_given(stack))

    assert "note   artifact store shared: signing_key: there is none: no machine loads" in told

    signed = Shared(signing_key="${env:HOME}")
    stack = Stack("prod", orchestrator=KubeflowOrchestrator(), artifact_store=signed)
    assert "signing_key" not in str(check_given(stack))


def test_a_check_notes_a_server_that_is_another_one_in_a_pod() -> None:
    told = str(check_given(made(KubeflowOrchestrator(), region="http://localhost:9000/x")))

    assert (
        "note   artifact store shared: region: http://localhost:9000/x is another machine" in told
    )


def test_every_setting_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES)
