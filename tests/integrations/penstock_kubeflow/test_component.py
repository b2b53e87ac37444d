"""The orchestrator as a component: what it takes, and what it refuses."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from drawn_jobs import job
from large_graphs import hello

from penstock import step
from penstock.errors import BadConfiguration, MissingReference, StackError
from penstock.model.component import Secret
from penstock.model.graph import Call
from penstock.stack.component import ComponentSpec, option_fields
from penstock.stack.making import check, make
from penstock.stack.masked import masked, written_out
from penstock.stack.orchestrator import ENVIRONMENT
from penstock.testing import RecordingOrchestrator
from penstock_kubeflow import KubeflowOrchestrator, options
from penstock_kubeflow.compiling import compile
from penstock_kubeflow.settings import NAMES

OPTIONS = [item.name for item in option_fields(KubeflowOrchestrator)]


def spec(**given: Any) -> ComponentSpec:
    return ComponentSpec("orchestrator", "kf", "kubeflow", given, "penstock.yaml:3:3")


def refusal(**given: Any) -> str:
    with pytest.raises(BadConfiguration) as caught:
        KubeflowOrchestrator(name="kf", **given)
    return str(caught.value)


def test_nothing_has_to_be_said_to_have_one() -> None:
    kubeflow = KubeflowOrchestrator()

    assert (kubeflow.name, kubeflow.image, kubeflow.namespace) == ("kubeflow", "", "kubeflow")
    assert kubeflow.elsewhere
    assert tuple(kubeflow.settings) == NAMES


def test_it_is_made_from_what_a_file_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_HOST", "https://kfp.example")
    made = make(
        spec(
            host="${env:KFP_HOST}", image="ghcr.io/acme/ml:3", token="${env:KFP_TOKEN}",
            requirements=["scikit-learn==1.5.2"], code="image",
            defaults={"pods": 8, "secret_env": {"DB_PASSWORD": "database/password"}},
        )
    )  # fmt: skip

    assert isinstance(made, KubeflowOrchestrator)
    assert (made.host, made.token) == ("https://kfp.example", Secret("${env:KFP_TOKEN}"))
    assert not made.ships_code
    assert ComponentSpec.of(made).options["defaults"]["pods"] == 8


def test_a_secret_that_is_given_as_text_is_shown_to_nobody() -> None:
    shown = repr(KubeflowOrchestrator(token="abcdef", cookies="session=ghijkl"))

    assert "abcdef" not in shown
    assert "ghijkl" not in shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": ""}, "Write host: https://…, or leave the option out."),
        ({"host": "kfp.example/pipeline"}, "Write: host: https://kfp.example/pipeline"),
        ({"host": "localhost:8888"}, "Write: host: http://localhost:8888"),
        ({"host": "ftp://kfp.example"}, "Write: host: https://kfp.example"),
        ({"host": "https://"}, "has a host that names no server."),
        ({"host": "https://kfp:99999"}, "has a host that names no server."),
        ({"host": "https://me:pw123@kfp.example"}, "Write them as token or as cookies."),
        ({"namespace": "Team_A"}, "has namespace='Team_A', which is no name of a namespace."),
        ({"image": "ghcr.io/acme/ml 3"}, "with a blank in it."),
        ({"image": 3}, "has image=3, and that is no text."),
        ({"image": "Acme/ML:3"}, "which is no name of an image."),
        ({"service_account": "Bad Name"}, "which is no name that Kubernetes has."),
        ({"requirements": ["not a req !!"]}, "has 'not a req !!' among its requirements"),
        ({"code": "git"}, "Write 'archive' or 'image'."),
        ({"python": ""}, "has python=''."),
        ({"token": 3}, "has token of the class int."),
        ({"verify_ssl": "no"}, "has verify_ssl='no'."),
        ({"requirements": "numpy"}, "has requirements='numpy'."),
        ({"requirements": 3}, "has requirements=3."),
        ({"requirements": ["--index-url=https://x"]}, "an index in PIP_INDEX_URL."),
        ({"defaults": [1]}, "has defaults of the class list."),
        ({"defaults": {"imagee": "a"}}, "there is no setting 'imagee'. Did you mean 'image'?"),
        ({"defaults": {"pods": 0}}, "setting 'pods': 0 does not fit: 1 to 1,000 is needed."),
        ({"defaults": {"env": {"HF_TOKEN": "hf_abc"}}}, "Write secret_env: {HF_TOKEN: SECRET/KEY}"),
    ],
)
def test_what_cannot_be_right_is_refused_with_a_cure(given: dict[str, Any], said: str) -> None:
    message = refusal(**given)

    assert said in message
    assert message.startswith("The orchestrator 'kf' has ")
    assert "pw123" not in message
    assert "hf_abc" not in message


def test_all_of_it_is_told_at_once() -> None:
    message = refusal(host="kfp", namespace="A B", defaults={"imagee": 1, "cpu": "2"})

    assert message.startswith("4 options are wrong:\n  The orchestrator 'kf' has a host")
    assert len(message.splitlines()) == 5


@pytest.mark.parametrize("foreign", options.FOREIGN)
def test_an_option_of_another_tool_is_told_with_ours(foreign: str) -> None:
    ours = options.FOREIGN[foreign]
    with pytest.raises(BadConfiguration, match="there is no such option") as caught:
        check(spec(**{foreign: "x"}))

    assert str(caught.value).endswith(f"Here that is {ours}.")
    assert ours.startswith("nothing: ") or {*ours.replace(" and", ",").split(", ")} <= {*OPTIONS}
    assert foreign not in OPTIONS


def test_one_that_is_nearly_ours_is_told_with_ours() -> None:
    with pytest.raises(BadConfiguration, match="Did you mean 'namespace'"):
        check(spec(name_space="ml"))


def test_defaults_name_kubernetes_secrets_in_the_open() -> None:
    said = {"secret_env": {"DB_PASSWORD": "database/password"}, "pull_secrets": ["registry"]}

    assert masked(spec(defaults=said)) == {"defaults": said}
    assert written_out(spec(defaults=said)) == ()
    assert written_out(spec(token="abc")) == ("token",)


def test_a_password_in_a_url_is_masked_in_defaults_as_everywhere() -> None:
    said = {"env": {"PROXY": "http://me:pw123@proxy.example"}}

    assert "pw123" not in str(masked(spec(defaults=said)))
    assert written_out(spec(defaults=said)) == ("defaults",)


def test_certificates_lie_in_the_project_like_all_files(tmp_path: Path) -> None:
    placed = KubeflowOrchestrator(ca_bundle="ca.pem").placed(tmp_path)

    assert placed.ca_bundle == str(tmp_path / "ca.pem")
    assert KubeflowOrchestrator().placed(tmp_path).ca_bundle == ""


def test_a_missing_reference_is_named_with_its_option() -> None:
    with pytest.raises(MissingReference, match=r"option 'image': .*'NO_SUCH_IMAGE' is not set"):
        make(spec(image="${env:NO_SUCH_IMAGE}"))


# Where steps run.


def call(**settings: Any) -> Call:
    @step(settings={"kubeflow": settings})
    def train() -> int:
        return 1

    return Call("train", train, {})


def test_the_environment_is_the_image_its_python_and_what_is_installed_into_it() -> None:
    kubeflow = KubeflowOrchestrator(image="a", requirements=["numpy>=2"])

    assert kubeflow.environment_of(call(), {}) == "a\npython\nnumpy>=2"
    assert kubeflow.environment_of(call(requirements=[]), {}) == "a\npython"


def test_an_image_of_the_step_comes_before_the_pipelines_and_that_before_the_stacks() -> None:
    kubeflow = KubeflowOrchestrator(image="a", defaults={"image": "b"})
    pipeline = {"kubeflow": {"image": "c"}}

    assert kubeflow.environment_of(call(), {}) == "b\npython"
    assert kubeflow.environment_of(call(), pipeline) == "c\npython"
    assert kubeflow.environment_of(call(image="d"), pipeline) == "d\npython"


def test_other_pipelines_settings_are_for_other_flavors() -> None:
    kubeflow = KubeflowOrchestrator(image="a")

    assert kubeflow.environment_of(call(), {"other": {"image": "c"}}) == "a\npython"


def test_a_pod_is_told_the_environment_that_the_planner_asks_for() -> None:
    kubeflow = KubeflowOrchestrator(image="a", python="python3", requirements=["numpy>=2"])
    drawn = job(hello.graph(), settings={"image": "b"})
    spec = compile(drawn, kubeflow).spec["deploymentSpec"]["executors"]["exec-step"]
    told = {each["name"]: each["value"] for each in spec["container"]["env"]}
    calls = drawn.plan.graph.calls.values()

    assert told[ENVIRONMENT] == "b\npython3\nnumpy>=2"
    assert {kubeflow.environment_of(each, drawn.plan.settings) for each in calls} == {
        told[ENVIRONMENT]
    }


def test_without_a_host_there_is_nobody_to_ask() -> None:
    kubeflow = KubeflowOrchestrator(image="a")
    for asked in (
        lambda: kubeflow.submit(job(hello.graph()), RecordingOrchestrator()),
        lambda: kubeflow.seen("20261122-005412-k3fq-7f3a"),
        lambda: kubeflow.cancel("a"),
    ):
        with pytest.raises(StackError, match="has no host") as told:
            asked()
        assert told.value.exit_code == 3


# What it costs.


def test_the_package_and_the_component_load_no_heavy_library() -> None:
    heavy = ["kfp", "pydantic", "networkx", "google.protobuf", "yaml", "urllib.request", "ssl"]
    code = (
        "import sys; from penstock_kubeflow import KubeflowOrchestrator\n"
        "KubeflowOrchestrator(image='a', host='https://kfp.example')\n"
        f"print({set(heavy)!r} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_every_option_is_described() -> None:
    from penstock.stack.describe import descriptions

    own = {item.name for item in fields(KubeflowOrchestrator)} - {"name"}
    assert {name for name in own if not descriptions(KubeflowOrchestrator).get(name)} == set()
