"""What the stand-in for Kubeflow Pipelines refuses: each rule, and something that breaks it."""

from __future__ import annotations

import copy
import json
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode

import pytest
import specs
import yaml
from bodies import checked
from firing import Cron, due
from gateway import Refused
from hypothesis import given
from hypothesis import strategies as st
from mischief import Fault, Mischief
from queries import RUNS, page
from standins import Hatchery, Standin
from test_executed import by_hand

API = "/apis/v2beta1"

PLATFORM = yaml.safe_load(by_hand("", secret="s").partition("---\n")[2])


@pytest.fixture(scope="module")
def standin(hatchery: Hatchery, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One for all of these: nothing of what they ask for is done."""
    with hatchery.standin(tmp_path_factory.mktemp("standin")) as standin:
        yield standin


@pytest.fixture(autouse=True)
def as_it_was(standin: Standin) -> Any:
    runs = standin.runs()
    yield
    standin.set(
        token=None, cookie=None, multi_user=False, prefix="", v1beta1=True, only_v1beta1=False,
        size_limit=1_400_000, namespaces=["kubeflow"], without_cookie="401",
    )  # fmt: skip
    assert standin.runs() == runs, "what is refused is not done"


def asked(standin: Standin, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Status and what was said."""
    data = None if body is None else json.dumps(body).encode()
    url = f"http://127.0.0.1:{standin.port}{path}"
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, said_in(error.read().decode())
    except json.JSONDecodeError:
        return 200, "no JSON"


def said_in(text: str) -> str:
    """Of the server, or of what stands before it."""
    try:
        said = json.loads(text)
    except ValueError:
        return text
    assert said.get("error", said["message"]) == said["message"]
    return str(said["message"])


def pipeline(**root: Any) -> dict[str, Any]:
    """One that is all right, with an input."""
    made: dict[str, Any] = yaml.safe_load(by_hand("print(1)"))
    inputs = {"run": {"parameterType": "STRING"}, "n": {"parameterType": "NUMBER_INTEGER"}}
    inputs["n"]["defaultValue"] = 1  # type: ignore[assignment]
    made["root"] |= {"inputDefinitions": {"parameters": inputs}, **root}
    return made


def body(spec: Any = None, **more: Any) -> dict[str, Any]:
    """A run that is all right."""
    config = {"parameters": {"run": "R"}}
    made = {"display_name": "r", "pipeline_spec": spec or pipeline(), "runtime_config": config}
    return {**made, **more}


def planted(*path: str, value: Any) -> dict[str, Any]:
    """A pipeline with a value somewhere that does not belong there."""
    spec = copy.deepcopy(pipeline())
    inner = spec
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return spec


class TestBodies:
    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"runID": "x"}, 'unknown field "runID"'),
            ({"runtime_config": {"parameter": {}}}, 'unknown field "parameter"'),
            ({"runtime_config": []}, "expected an object"),
            ({"description": ["x"]}, "invalid value for V2beta1Run.description"),
            ({"state": "GONE"}, "invalid value for V2beta1Run.state"),
            ({"created_at": "today"}, "invalid value for V2beta1Run.created_at"),
            ({"plugins_input": [1]}, "invalid value"),
        ],
    )
    def test_a_field_that_no_model_has(
        self, standin: Standin, more: dict[str, Any], said: str
    ) -> None:
        status, message = asked(standin, "POST", f"{API}/runs", body(**more))
        assert (status, said in message) == (400, True), message

    def test_no_json_and_no_name(self, standin: Standin) -> None:
        assert asked(standin, "POST", f"{API}/runs", [1])[0] == 400
        status, said = asked(standin, "POST", f"{API}/runs", body(display_name=""))
        assert (status, said.endswith("Run name cannot be empty")) == (500, True)

    @given(st.sampled_from(["V2beta1Run", "V2beta1RecurringRun", "V2beta1Experiment"]), st.data())
    def test_what_a_model_itself_writes_is_known(self, name: str, data: st.DataObject) -> None:
        import kfp_server_api

        fields = ("display_name", "description", "experiment_id", "namespace", "created_at")
        model = getattr(kfp_server_api, name)
        known = sorted({*fields} & model.openapi_types.keys())
        chosen = data.draw(st.lists(st.sampled_from(known), unique=True))
        now = datetime(2026, 1, 1, tzinfo=UTC)
        made = model(**{each: now if each == "created_at" else "x" for each in chosen})
        with kfp_server_api.ApiClient() as client:
            written = client.sanitize_for_serialization(made)
        assert checked(name, written).keys() == {*chosen}


class TestSpecs:
    @pytest.mark.parametrize(
        ("path", "value", "said"),
        [
            (("typo",), 1, "unknown template format: pipeline spec is invalid"),
            (("root", "dag", "tasks", "one", "typo"), 1, "pipeline spec is invalid"),
            (("pipelineInfo", "name"), "", "pipeline spec is invalid"),
            (("schemaVersion",), "2.2.0", "only supports schema version 2.1.0"),
            (("pipelineInfo", "name"), "ÄÖ", "name should consist of"),
            (("pipelineInfo", "name"), "By Hand", "a lowercase RFC 1123 subdomain"),
            (("components", "comp", "executorLabel"), "other", "missing executor other"),
            (("root", "dag", "tasks", "one", "componentRef", "name"), "no", "is not there"),
            (("root", "dag", "tasks", "one", "dependentTasks"), ["two"], "depends on 'two'"),
            (
                ("deploymentSpec", "executors", "exec", "container", "images"),
                "x",
                "unmarshalling deployment config",
            ),
        ],
    )
    def test_one_that_the_server_cannot_read(
        self, standin: Standin, path: tuple[str, ...], value: Any, said: str
    ) -> None:
        """It says 500, whoever has made the mistake."""
        status, message = asked(standin, "POST", f"{API}/runs", body(planted(*path, value=value)))
        assert (status, said in message) == (500, True), message

    def test_one_in_words_that_it_does_not_know(self, standin: Standin) -> None:
        for spec in ({"pipelineSpec": pipeline()}, {"pipeline_spec": 1}, {"x": 1}):
            status, said = asked(standin, "POST", f"{API}/runs", body(spec))
            assert (status, "pipeline spec is invalid" in said) == (500, True)

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_the_file_that_is_carried_out_has_every_text_as_it_was(self, text: str) -> None:
        spec = {"pipeline_spec": planted("pipelineInfo", "description", value=text)}
        found = specs.checked({**spec, "platform_spec": PLATFORM}) if "{{" not in text else None
        if found:
            assert [*yaml.safe_load_all(found.text)] == [spec["pipeline_spec"], PLATFORM]

    def test_a_placeholder_that_stays_as_it_is(self, standin: Standin) -> None:
        path = ("deploymentSpec", "executors", "exec", "container", "image")
        spec = planted(*path, value="{{$.inputs.parameters['call']}}")
        status, said = asked(standin, "POST", f"{API}/runs", body(spec))
        assert (status, "the stand-in: not resolved" in said) == (400, True)

    @given(st.data())
    def test_whatever_stands_anywhere_it_is_refused_or_read(self, data: st.DataObject) -> None:
        spec: Any = copy.deepcopy({"pipeline_spec": pipeline(), "platform_spec": PLATFORM})
        inner, names = spec, list(spec)
        while True:
            name = data.draw(st.sampled_from(names))
            if not isinstance(inner[name], dict) or data.draw(st.integers(0, 5)) == 0:
                break
            inner, names = inner[name], list(inner[name])
            if not names:
                return
        inner[name] = data.draw(
            st.none() | st.booleans() | st.floats(0, 9) | st.text(max_size=3) | st.just([1])
            | st.just({"x": "{{x}}"})
        )  # fmt: skip
        with suppress(Refused):
            found = specs.checked(spec)
            specs.check_workflow(found, 10**6)
            specs.check_parameters(found, {"run": "R"})

    @pytest.mark.parametrize(
        ("platform", "said"),
        [
            ({"platform": {}}, "the platform spec"),
            ({"platforms": {"kubernetes": {}}}, "the platform spec"),
            (
                {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"e": {"x": 1}}}}}},
                "what the platform spec has of e",
            ),
        ],
    )
    def test_a_platform_spec_that_would_be_lost(
        self, standin: Standin, platform: Any, said: str
    ) -> None:
        both = {"pipeline_spec": pipeline(), "platform_spec": platform}
        status, message = asked(standin, "POST", f"{API}/runs", body(both))
        assert (status, f"would lose {said}" in message) == (400, True), message

    @pytest.mark.parametrize(
        ("parameters", "said"),
        [
            ({}, "Need parameter(s): run"),
            ({"n": 1}, "parameter run is not optional"),
            ({"run": 1}, "input parameter run requires type string"),
            ({"run": "R", "n": "1"}, "input parameter n requires type integer"),
            ({"run": "R", "n": True}, "input parameter n requires type integer"),
            ({"run": "R", "typo": "x"}, "parameter typo"),
        ],
    )
    def test_parameters_that_do_not_fit(self, standin: Standin, parameters: Any, said: str) -> None:
        given = body(runtime_config={"parameters": parameters})
        status, message = asked(standin, "POST", f"{API}/runs", given)
        assert (status, said in message) == (400, True), message

    def test_one_that_is_too_large(self, standin: Standin) -> None:
        standin.set(size_limit=100)
        status, said = asked(standin, "POST", f"{API}/runs", body())
        assert (status, "etcdserver: request is too large" in said) == (500, True)

    def test_a_file_that_is_no_pipeline_is_not_taken(self, standin: Standin) -> None:
        form = (
            '--x\r\nContent-Disposition: form-data; name="uploadfile"; filename="p.yaml"\r\n\r\n'
            "a: [1\r\n--x--\r\n"
        )
        request = urllib.request.Request(
            f"{standin.url}{API}/pipelines/upload?name=p", form.encode(),
            {"Content-Type": "multipart/form-data; boundary=x"},
        )  # fmt: skip
        with pytest.raises(HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as error:
            assert (error.code, b"unknown template format" in error.read()) == (400, True)
        assert asked(standin, "GET", f"{API}/pipelines") == (200, {})


class TestRecurring:
    @pytest.mark.parametrize(
        ("more", "status", "said"),
        [
            ({"display_name": ""}, 500, "name cannot be empty"),
            ({"display_name": "-x"}, 500, "metadata.generateName"),
            ({"max_concurrency": None}, 400, "at least 1 and at most 10. Received 0"),
            ({"max_concurrency": "11"}, 400, "Received 11"),
            ({"trigger": {"cron_schedule": {"cron": "61 * * * * *"}}}, 400, "robfig/cron"),
            ({"trigger": {"cron_schedule": {"cron": "0 * * *"}}}, 400, "Expected 5 to 6 fields"),
            ({"trigger": {"periodic_schedule": {"interval_second": "0"}}}, 400, "interval 0."),
            ({"trigger": {"cron": "* * * * *"}}, 400, "unknown field"),
            ({"namespace": "kubeflow"}, 400, "belongs to namespace '' instead of 'kubeflow'"),
            ({"experiment_id": "none"}, 404, "Experiment none not found"),
            ({"runtime_config": None}, 400, "Need parameter(s): run"),
        ],
    )
    def test_one_that_the_server_does_not_take(
        self, standin: Standin, more: dict[str, Any], status: int, said: str
    ) -> None:
        made = {**body(max_concurrency="1", mode="ENABLE"), **more}
        found, message = asked(standin, "POST", f"{API}/recurringruns", made)
        assert (found, said in message) == (status, True), message
        assert asked(standin, "GET", f"{API}/recurringruns") == (200, {})


class TestDoors:
    def test_a_token_is_needed_and_can_change(self, standin: Standin) -> None:
        standin.set(token="first")
        path = f"{API}/runs"
        assert asked(standin, "GET", path)[0] == 401
        assert asked(standin, "GET", path, Authorization="Bearer first")[0] == 200
        standin.set(token="second")
        assert asked(standin, "GET", path, Authorization="Bearer first")[0] == 401

    def test_without_its_cookie_one_gets_401_or_the_page_of_a_login(self, standin: Standin) -> None:
        standin.set(cookie="session=1")
        assert asked(standin, "GET", f"{API}/runs", Cookie="a=b; session=1")[0] == 200
        assert asked(standin, "GET", f"{API}/runs", Cookie="session=2")[0] == 401
        standin.set(without_cookie="login")
        assert asked(standin, "GET", f"{API}/runs") == (200, "no JSON")

    def test_many_users_have_namespaces(self, standin: Standin) -> None:
        standin.set(multi_user=True, namespaces=["ours"])
        ours = f"{API}/runs?namespace=ours"
        status, said = asked(standin, "GET", ours)
        assert (status, "no user identity header" in said) == (401, True)
        ann = {"Kubeflow-Userid": "ann@example.com"}
        assert asked(standin, "GET", ours, **ann) == (200, {})
        status, said = asked(standin, "GET", f"{API}/runs?namespace=theirs", **ann)
        assert (status, "'ann@example.com' is not authorized" in said) == (403, True)
        status, said = asked(standin, "GET", f"{API}/runs", **ann)
        assert (status, "empty in multi-user mode" in said) == (400, True)
        status, said = asked(standin, "POST", f"{API}/runs", body(), **ann)
        assert (status, "Experiment id can not be empty" in said) == (400, True)
        new = {"display_name": "e", "namespace": "theirs"}
        assert asked(standin, "POST", f"{API}/experiments", new, **ann)[0] == 403
        assert asked(standin, "GET", f"{API}/healthz")[1]["multi_user"]
        assert asked(standin, "GET", f"{API}/runs/none")[0] == 404

    @pytest.mark.parametrize(
        ("options", "path", "status"),
        [
            ({}, f"{API}/pods", 404),
            ({}, "/apis/v3/runs", 404),
            ({}, f"{API}/runs/none", 404),
            ({"only_v1beta1": True}, f"{API}/healthz", 404),
            ({"only_v1beta1": True}, "/apis/v1beta1/healthz", 200),
            ({"v1beta1": False}, "/apis/v1beta1/healthz", 404),
            ({"prefix": "/pipeline"}, f"{API}/healthz", 404),
            ({"prefix": "/pipeline"}, f"/pipeline{API}/healthz", 200),
            ({"prefix": "/services/a:http/proxy"}, f"/services/a%3Ahttp/proxy{API}/healthz", 200),
        ],
    )
    def test_paths(self, standin: Standin, options: Any, path: str, status: int) -> None:
        standin.set(**options)
        assert asked(standin, "GET", path)[0] == status

    def test_everything_else_is_a_page(self, standin: Standin) -> None:
        assert asked(standin, "GET", "/") == (200, "no JSON")


def predicate(**given: Any) -> str:
    return json.dumps({"predicates": [given]})


class TestLists:
    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ({"page_size": "-1"}, "page size should be greater than 0"),
            ({"page_token": "x"}, "Invalid package token."),
            ({"sort_by": "colour"}, "Invalid sorting field"),
            ({"sort_by": "name up"}, "Received invalid sort by format"),
            ({"filter": "{"}, "failed to parse valid filter"),
            ({"filter": '{"predicate": []}'}, "failed to parse valid filter"),
            ({"filter": predicate(operation="LIKE", key="name", string_value="x")}, "parse valid"),
            ({"filter": predicate(operation="EQUALS", key="x", string_value="x")}, "unrecognized"),
            ({"filter": predicate(operation="IN", key="name", string_value="x")}, "scalar type"),
            ({"filter": predicate(operation=9, key="name", int_value=1)}, "IS_SUBSTRING"),
        ],
    )
    def test_what_is_asked_for_wrongly(
        self, standin: Standin, query: Mapping[str, str], said: str
    ) -> None:
        status, message = asked(standin, "GET", f"{API}/runs?{urlencode(query)}")
        assert (status, said in message) == (400, True), message

    @given(st.lists(st.integers(0, 9)), st.integers(1, 4), st.booleans())
    def test_pages_have_each_row_once_and_in_order(
        self, times: list[int], size: int, backwards: bool
    ) -> None:
        rows = [{"id": str(number), "created_at": at} for number, at in enumerate(times)]
        found: list[Any] = []
        query = {"page_size": str(size), "sort_by": "created_at desc" if backwards else ""}
        while True:
            shown, more = page(rows, RUNS, query)
            assert len(shown) <= size
            found += shown
            if "next_page_token" not in more:
                break
            query["page_token"] = more["next_page_token"]
        assert found == sorted(
            rows, key=lambda row: (row["created_at"], row["id"]), reverse=backwards
        )

    @pytest.mark.parametrize(
        ("given", "names"),
        [
            ({"operation": "EQUALS", "string_value": "A+B"}, []),  # it is unquoted twice
            ({"operation": 1, "stringValue": quote("A+B")}, ["a+b"]),
            ({"operation": "NOT_EQUALS", "string_value": "50 %25"}, ["a+b"]),
            ({"operation": "IN", "string_values": {"values": ["50 %25", "x"]}}, ["50 %"]),
            ({"operation": "IS_SUBSTRING", "string_value": "%25"}, ["50 %"]),
        ],
    )
    def test_filters(self, given: Any, names: list[str]) -> None:
        rows = [{"id": name, "display_name": name} for name in ("a+b", "50 %")]
        asked_for = {"filter": predicate(key="display_name", **given)}
        assert [row["display_name"] for row in page(rows, RUNS, asked_for)[0]] == names


class TestClocks:
    @pytest.mark.parametrize(
        ("cron", "after", "found"),
        [
            ("0 30 6 * * *", "2026-03-01T06:30:00", "2026-03-02T06:30:00"),
            ("0 0 0 1 * *", "2026-12-15T10:00:00", "2027-01-01T00:00:00"),
            ("0 0 12 * * MON-FRI", "2026-11-20T12:00:00", "2026-11-23T12:00:00"),
            ("0 0 0 13 * FRI", "2026-11-01T00:00:00", "2026-11-06T00:00:00"),  # either of them
            ("0 0 0 29 2 ?", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
            ("*/20 * * * * *", "2026-01-01T00:00:41", "2026-01-01T00:01:00"),
            ("0 6 * * *", "2026-01-01T00:00:00", "2026-01-01T00:06:00"),  # not at six o'clock
            ("@daily", "2026-01-01T00:00:00", "2026-01-02T00:00:00"),
            ("0 0 0 31 2 *", "2026-01-01T00:00:00", None),
        ],
    )
    def test_cron_as_this_server_reads_it(self, cron: str, after: str, found: str | None) -> None:
        at = Cron.parsed(cron).after(datetime.fromisoformat(f"{after}+00:00").timestamp())
        assert at == (found and datetime.fromisoformat(f"{found}+00:00").timestamp())

    @given(
        st.tuples(
            *(st.sets(st.integers(low, high), min_size=1, max_size=3)
              for low, high in ((0, 59), (0, 59), (0, 23)))
        ),
        st.integers(0, 2 * 86400),
    )  # fmt: skip
    def test_it_is_the_first_time_that_fits(
        self, fields: tuple[set[int], set[int], set[int]], begin: int
    ) -> None:
        cron = Cron.parsed(" ".join(",".join(map(str, sorted(each))) for each in fields) + " * * *")
        found = cron.after(begin)
        assert found is not None
        day = datetime.fromtimestamp(begin, UTC).replace(hour=0, minute=0, second=0)
        fits = sorted(
            (day + timedelta(days=d, hours=h, minutes=m, seconds=s)).timestamp()
            for d in (0, 1)
            for s in fields[0]
            for m in fields[1]
            for h in fields[2]
        )
        assert found == next(each for each in fits if each > begin)

    def test_what_was_missed_is_made_up_for_or_not(self) -> None:
        job = {
            "trigger": {"periodic_schedule": {"interval_second": "10"}}, "created_at": 0.0,
            "last_triggered": 0.0, "index": 0,
        }  # fmt: skip
        assert due(job, 9.0) is None
        assert due(job, 35.0) == 10
        assert due({**job, "no_catchup": True}, 35.0) == 30
        ends = {"interval_second": "10", "end_time": "1970-01-01T00:00:05Z"}
        assert due({**job, "trigger": {"periodic_schedule": ends}}, 35.0) is None
        assert due({**job, "trigger": None}, 5.0) == 5
        assert due({**job, "trigger": None, "index": 1}, 5.0) is None


def test_a_fault_is_over_after_its_times() -> None:
    mischief = Mischief()
    mischief.plan({"path": "/a", "kind": 500, "times": 2, "after": 1})
    found = [mischief.of(each) for each in ("GET /a", "GET /b", "GET /a", "POST /a", "GET /a")]
    assert [isinstance(each, Fault) for each in found] == [False, False, True, True, False]


def test_a_model_that_is_not_there_is_a_mistake_of_the_stand_in() -> None:
    with pytest.raises(AttributeError):
        checked("V2beta1Typo", {})
    with pytest.raises(Refused):
        checked("V2beta1Run", None)
