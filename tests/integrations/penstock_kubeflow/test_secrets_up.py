"""`up` makes the Kubernetes Secrets that the defaults name, `down --force` takes away what it has
made; on a real HTTP server that answers as the API of Kubernetes does."""

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from secrets_api import SecretsApi

from penstock import LocalArtifactStore, Stack
from penstock.errors import (
    BadConfiguration,
    EngineError,
    MissingReference,
    PenstockError,
    StackError,
)
from penstock.stack import provisioned
from penstock.stack.project import Project
from penstock_kubeflow import KubeflowOrchestrator
from penstock_kubeflow.cluster import Cluster

ENV = {"S3_ID": "bucket/id", "S3_KEY": "bucket/secret", "TEAM": "penstock/team-key"}

AT = "in the namespace ml of the context 'there'"
MADE = f"made the Secret bucket (id, secret) {AT}"

State = dict[str, dict[str, str]]


@pytest.fixture
def api() -> Iterator[SecretsApi]:
    with SecretsApi("ml") as api:
        yield api


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "penstock.yaml").touch()
    return Project(tmp_path)


@pytest.fixture
def kf(api: SecretsApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KubeflowOrchestrator:
    """In a cluster that this machine knows, with all values at hand."""
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
    for number, variable in enumerate(ENV):
        monkeypatch.setenv(variable, f"value-{number}")
    return named(secret_env=ENV)


def named(**defaults: Any) -> KubeflowOrchestrator:
    return KubeflowOrchestrator(
        name="kf", namespace="ml", kube_context="there", image="python:3", defaults=defaults
    )


def state(api: SecretsApi) -> State:
    return api.values("ml")


def coded(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_up_makes_what_the_defaults_name_and_says_so_once(
    api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    assert kf.up() == [
        f"made the Secret bucket (id, secret) {AT}",
        f"made the Secret penstock (team-key) {AT}",
    ]
    assert state(api) == {
        "bucket": {"id": "value-0", "secret": "value-1"},
        "penstock": {"team-key": "value-2"},
    }
    api.asked.clear()
    assert kf.up() == []
    assert [method for method, _ in api.asked] == ["GET", "GET"]


def test_a_stack_that_names_none_needs_no_place(project: Project) -> None:
    stack = Stack("s", orchestrator=named(), artifact_store=LocalArtifactStore(name="a", path="s"))

    assert stack.up()[0] == stack.down()[-1] == "orchestrator kf: needs no place"
    assert named().down(force=True) == ()


def test_a_key_that_is_missing_is_added_and_the_others_stay(
    api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    api.put("ml", "bucket", id=coded("value-0"), region=coded("eu"))

    assert kf.up()[0] == f"made secret of the Secret bucket {AT}"
    assert state(api)["bucket"] == {"id": "value-0", "region": "eu", "secret": "value-1"}


def test_another_value_is_left_and_said_and_not_shown(
    api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    api.put("ml", "bucket", id=coded("hush"), secret=coded("value-1"))

    said = kf.up()
    assert said[0] == "left id of the Secret bucket: S3_ID is another one here"
    assert state(api)["bucket"]["id"] == "hush"
    assert "hush" not in str(said)
    assert "value-0" not in str(said)


def test_what_was_only_left_is_not_remembered_as_made(
    api: SecretsApi, kf: KubeflowOrchestrator, project: Project
) -> None:
    api.put("ml", "bucket", id=coded("hush"), secret=coded("value-1"))
    api.put("ml", "penstock", **{"team-key": coded("value-2")})

    assert [deed.said for deed in provisioned.up([kf], project)] == [
        ("left id of the Secret bucket: S3_ID is another one here",)
    ]
    assert not provisioned.is_up(project, kf)


def test_down_takes_away_what_up_has_made_and_only_with_force(
    api: SecretsApi, kf: KubeflowOrchestrator, project: Project
) -> None:
    api.put("ml", "bucket", region=coded("eu"))
    list(provisioned.up([kf], project))

    assert "--force removes the Kubernetes Secrets" in next(provisioned.down([kf], project)).said[0]
    assert next(provisioned.down([kf], project, force=True)).said == [
        "removed id, secret of the Secret bucket",
        "left region of the Secret bucket, which is not of its making",
        "removed the Secret penstock",
    ]
    assert state(api) == {"bucket": {"region": "eu"}}


def test_what_somebody_has_changed_since_is_theirs(
    api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    kf.up()
    api.put("ml", "penstock", by="kubectl-edit", **{"team-key": coded("new")})
    api.put("ml", "bucket", by="kubectl-edit", region=coded("eu"))

    kf.down(force=True)
    assert state(api) == {"penstock": {"team-key": "new"}, "bucket": {"region": "eu"}}


def test_what_a_colleague_has_made_in_the_same_way_is_theirs(
    api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    api.put("ml", "bucket", by="penstock-1234@desk", id=coded("value-0"), secret=coded("value-1"))
    kf.up()

    assert kf.down(force=True) == [
        "left id, secret of the Secret bucket, which is not of its making",
        "removed the Secret penstock",
    ]


def test_what_is_gone_already_is_no_error(
    api: SecretsApi, kf: KubeflowOrchestrator, project: Project
) -> None:
    list(provisioned.up([kf], project))
    api.secrets["ml"].clear()

    assert next(provisioned.down([kf], project, force=True)).said == ["is gone already"]


def test_with_other_names_the_old_ones_are_told(
    api: SecretsApi, kf: KubeflowOrchestrator, project: Project
) -> None:
    list(provisioned.up([kf], project))
    other = named(secret_env={"TEAM": "other/key"})

    assert next(provisioned.down([other], project, force=True)).said == [
        (
            f"left the Secrets bucket and penstock {AT}, which was made for it before its options "
            "changed: that is yours to remove"
        )
    ]
    assert len(state(api)) == 2


def test_nothing_is_made_if_a_value_is_not_known(
    api: SecretsApi, kf: KubeflowOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("S3_KEY")
    monkeypatch.setenv("TEAM", "")
    with pytest.raises(MissingReference) as caught:
        kf.up()

    assert str(caught.value) == (
        "The orchestrator 'kf' needs in the namespace 'ml' what is not known here:\n"
        "  the key 'secret' of the Secret 'bucket': S3_KEY is not set here\n"
        "  the key 'team-key' of the Secret 'penstock': TEAM is not set here\n"
        "export S3_KEY=…; export TEAM=…"
    )
    assert state(api) == {}


def test_a_value_that_the_cluster_has_need_not_be_here(
    api: SecretsApi, kf: KubeflowOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM")
    api.put("ml", "penstock", **{"team-key": coded("theirs")})

    assert kf.up() == [MADE]


def test_what_is_optional_may_be_missing(api: SecretsApi, kf: KubeflowOrchestrator) -> None:
    key = {"name": "perhaps", "key": "k", "optional": True}
    files = {"name": "certificates", "optional": True}

    assert named(secret_env={"NOT_SET": key}, secret_files={"/etc/tls": files}).up() == []


def test_two_variables_of_one_key_must_agree(api: SecretsApi, kf: KubeflowOrchestrator) -> None:
    both = named(secret_env={"S3_ID": "one/k", "S3_KEY": "one/k"})
    with pytest.raises(MissingReference, match="S3_ID and S3_KEY are different here"):
        both.up()
    os.environ["S3_KEY"] = os.environ["S3_ID"]

    assert both.up() == [f"made the Secret one (k) {AT}"]


def test_files_cannot_be_made_up_and_the_line_that_makes_them_is_told(
    api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    with_files = named(secret_env={"TEAM": "penstock/key"}, secret_files={"/etc/tls": "tls"})
    with pytest.raises(MissingReference, match="'tls', for /etc/tls: what its files") as caught:
        with_files.up()
    assert caught.value.hint == "kubectl create secret generic tls -n ml --from-file=FOLDER"
    assert state(api) == {}

    api.put("ml", "tls", **{"tls.crt": coded("x")})
    assert with_files.up() == [f"made the Secret penstock (key) {AT}"]


def test_a_secret_of_files_that_is_named_by_keys_as_well_is_made(
    api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    both = named(secret_env={"TEAM": "penstock/key"}, secret_files={"/etc/penstock": "penstock"})

    assert both.up() == [f"made the Secret penstock (key) {AT}"]


@pytest.mark.parametrize("value", ["a\nb\n", "späße", "\udcff", "=" * 5000])
def test_any_value_comes_through_as_it_is(
    value: str, api: SecretsApi, kf: KubeflowOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM", value)
    kf.up()

    sent = b64decode(api.secrets["ml"]["penstock"]["data"]["team-key"])
    assert sent == os.fsencode(value)
    assert kf.up() == []


def test_no_cluster_is_asked_that_nobody_has_named(
    api: SecretsApi, kf: KubeflowOrchestrator, project: Project
) -> None:
    """The current context of kubectl may be any: secrets do not go there for a host."""
    hosted = KubeflowOrchestrator(
        name="kf", host="https://kfp.example", namespace="ml", defaults={"secret_env": ENV}
    )
    (said,) = hosted.up()

    assert said == (
        "left the Secrets bucket and penstock: which cluster the host belongs to is not said. "
        "Write kube_context: …; or type: kubectl create secret generic bucket -n ml "
        '--from-literal=id="$S3_ID" --from-literal=secret="$S3_KEY"; kubectl create secret generic '
        'penstock -n ml --from-literal=team-key="$TEAM"'
    )
    assert not api.asked
    list(provisioned.up([hosted], project))
    assert not provisioned.is_up(project, hosted)


def test_without_a_host_the_current_context_counts(
    api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    plain = KubeflowOrchestrator(name="kf", namespace="ml", defaults={"secret_env": ENV})

    assert plain.site == kf.site
    assert plain.up()[0] == MADE


def test_where_no_cluster_is_known_the_lines_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    plain = KubeflowOrchestrator(name="kf", namespace="ml", defaults={"secret_env": ENV})

    (said,) = plain.up()
    assert said.startswith("left the Secrets bucket and penstock: no cluster is known here. ")


def test_a_context_that_is_not_there_is_an_error(kf: KubeflowOrchestrator) -> None:
    wrong = KubeflowOrchestrator(kube_context="nowhere", defaults={"secret_env": ENV})
    with pytest.raises(BadConfiguration, match="nowhere"):
        wrong.up()


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (lambda api: setattr(api, "token", "x"), StackError, "does not know who asks"),
        (lambda api: api.forbidden.add("GET"), StackError, "read Secrets .* cannot GET"),
        (lambda api: api.forbidden.add("POST"), StackError, "make Secrets .* cannot POST"),
        (lambda api: api.secrets.clear(), BadConfiguration, "has no namespace 'ml'"),
    ],
)
def test_who_is_not_let_in_is_told_why(
    change: Callable[[SecretsApi], object],
    kind: type[PenstockError],
    text: str,
    api: SecretsApi,
    kf: KubeflowOrchestrator,
) -> None:
    change(api)
    with pytest.raises(kind, match=text) as caught:
        kf.up()

    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert "value-" not in str(caught.value)


def test_a_cluster_that_does_not_answer_is_told_once(
    api: SecretsApi, kf: KubeflowOrchestrator, tmp_path: Path
) -> None:
    api.kubeconfig(tmp_path, dead="http://127.0.0.1:9")
    dead = KubeflowOrchestrator(kube_context="dead", defaults={"secret_env": ENV})
    with pytest.raises(
        EngineError, match=r"^The Kubernetes at http://127.0.0.1:9 does not answer: "
    ):
        dead.up()


def test_what_was_made_before_an_error_is_told(api: SecretsApi, kf: KubeflowOrchestrator) -> None:
    def fail(method: str, path: str) -> None:
        if method == "POST" and "bucket" in api.secrets["ml"]:
            api.forbidden.add("POST")

    api.before = fail
    with pytest.raises(StackError, match=r"Before that: made the Secret bucket \(id, secret\) in "):
        kf.up()


def test_who_is_faster_is_not_written_over(api: SecretsApi, kf: KubeflowOrchestrator) -> None:
    def faster(method: str, path: str) -> None:
        if method == "POST":
            api.before = lambda *_: None
            api.put("ml", "bucket", id=coded("theirs"))

    api.before = faster
    assert kf.up()[:2] == [
        f"made secret of the Secret bucket {AT}",
        "left id of the Secret bucket: S3_ID is another one here",
    ]
    assert state(api)["bucket"] == {"id": "theirs", "secret": "value-1"}


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_what_is_changed_in_the_very_moment_of_removing_stays(
    method: str, api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    if method == "PATCH":
        api.put("ml", "bucket", region=coded("eu"))
    kf.up()

    def change(asked: str, path: str) -> None:
        if asked == method:
            api.before = lambda *_: None
            api.put("ml", "bucket", by="kubectl-edit", id=coded("theirs"))

    api.before = change
    kf.down(force=True)
    assert state(api)["bucket"]["id"] == "theirs"
    assert "secret" not in state(api)["bucket"]


def careless_up(kubeflow: KubeflowOrchestrator) -> None:
    """Writes what it has, whatever is there: the planted one."""
    with Cluster(kubeflow) as cluster:
        for variable, said in ENV.items():
            name, _, key = said.partition("/")
            value = {key: os.fsencode(os.environ[variable])}
            found = cluster.secret(name)
            assert cluster.change(found, value) if found else cluster.make(name, value)


def careless_down(kubeflow: KubeflowOrchestrator, *, force: bool) -> None:
    """Removes what is named, whoever has made it: the other planted one."""
    with Cluster(kubeflow) as cluster:
        for name in ("bucket", "penstock"):
            if found := cluster.secret(name):
                cluster.remove(found)


def judge(
    api: SecretsApi,
    before: State,
    up: Callable[[KubeflowOrchestrator], object],
    down: Callable[..., object],
) -> Sequence[str]:
    """What is wrong with up and down for a cluster that has this before."""
    api.secrets["ml"].clear()
    for name, keys in before.items():
        api.put("ml", name, **{key: coded(value) for key, value in keys.items()})
    kubeflow, wrong = named(secret_env=ENV), []
    up(kubeflow)
    there = state(api)
    if any(there[name] != {**there[name], **keys} for name, keys in before.items()):
        wrong.append("up has changed what was there")
    if not all(said.partition("/")[2] in there[said.partition("/")[0]] for said in ENV.values()):
        wrong.append("up has not made all")
    down(kubeflow, force=True)
    if state(api) != before:
        wrong.append("down has left another state than there was")
    return wrong


OURS = (KubeflowOrchestrator.up, KubeflowOrchestrator.down)
KEYS = st.dictionaries(
    st.sampled_from(["id", "secret", "team-key", "x"]), st.sampled_from(["value-0", "b", ""])
)
STATES = st.dictionaries(st.sampled_from(["bucket", "penstock", "other"]), KEYS)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=STATES)
def test_up_and_down_leave_everything_as_it_was(
    before: State, api: SecretsApi, kf: KubeflowOrchestrator
) -> None:
    assert judge(api, before, *OURS) == []


@pytest.mark.parametrize(
    ("up", "down"), [(careless_up, OURS[1]), (OURS[0], careless_down)], ids=["up", "down"]
)
def test_a_careless_one_is_noticed(
    up: Callable[[KubeflowOrchestrator], object],
    down: Callable[..., object],
    api: SecretsApi,
    kf: KubeflowOrchestrator,
) -> None:
    assert judge(api, {"bucket": {"id": "b"}}, up, down)
