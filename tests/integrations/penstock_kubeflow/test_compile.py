"""Compiling: the pods of a plan, what they are told, and what they wait for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from drawn_jobs import Pod, compiled, dags, job, pods
from hypothesis import given, settings
from hypothesis import strategies as st
from large_graphs import (
    apart,
    chain,
    checked,
    double,
    heavy,
    hello,
    known_later,
    load,
    several,
    spread,
    total,
    wide,
)
from placeholders import unresolved

from penstock import Resources, Retry, pipeline
from penstock.errors import CannotRun
from penstock.stack.orchestrator import ENVIRONMENT
from penstock_kubeflow import document


def names(found: dict[str, Pod]) -> list[str]:
    return sorted(found)


def test_each_pending_step_is_a_pod_that_waits_for_those_it_needs() -> None:
    found = pods(compiled(chain.graph(length=3)))
    assert {name: set(pod.before) for name, pod in found.items()} == {
        "load": set(),
        "double": {"load"},
        "double-2": {"load", "double"},
    }
    assert [pod.task.task_info.name for pod in found.values()] == list(found)
    assert not any(pod.task.caching_options.enable_cache for pod in found.values())


def test_what_is_done_is_left_out_and_nothing_waits_for_it() -> None:
    found = pods(compiled(job(chain.graph(length=3), done=["load", "double"])))
    assert {name: set(pod.before) for name, pod in found.items()} == {"double-2": set()}


def test_a_pipeline_with_nothing_left_to_do_compiles_to_nothing() -> None:
    with pytest.raises(CannotRun, match="nothing left to do"):
        compiled(job(hello.graph(), done=["load", "double"]))


def test_steps_whose_pods_are_alike_share_one_executor_and_one_command_line() -> None:
    drawn = job(chain.graph(length=50))
    made = compiled(drawn)
    assert list(made.spec["deploymentSpec"]["executors"]) == ["exec-step"]
    assert list(made.spec["components"]) == ["comp-step"]
    assert drawn.asked == ["{{$.inputs.parameters['call']}}"]
    assert made.platform == {}


def test_equal_settings_of_different_steps_share_their_pods() -> None:
    @pipeline
    def two() -> int:
        one = double.with_options(settings={"kubeflow": {"env": {"A": "1"}}})
        other = load.with_options(settings={"kubeflow": {"env": {"A": "1"}}})
        return one(other())

    assert len(compiled(two.graph()).spec["deploymentSpec"]["executors"]) == 1


def test_the_command_line_is_that_of_the_job_with_the_python_of_the_image() -> None:
    container = pods(compiled(hello.graph(), python="/opt/python"))["load"].container
    argv = [*container.command, *container.args]
    assert argv[:3] == ["/opt/python", "-m", "penstock.runtime.entrypoint"]
    assert argv[argv.index("--call") + 1] == "{{$.inputs.parameters['call']}}"
    assert argv[argv.index("--run") + 1] == "{{$.inputs.parameters['run']}}"
    assert argv[argv.index("--job") + 1] == "{{$.inputs.parameters['job']}}"


def test_nothing_in_the_stack_is_replaced_on_its_way() -> None:
    container = pods(compiled(hello.graph()))["load"].container
    argv = list(container.args)
    written = argv[argv.index("--stack") + 1]
    assert "{{" not in written
    assert "$(" not in written
    assert yaml.safe_load(written) == {
        "name": "prod",
        "note": "{{workflow.name}} and $(HOME)",
    }


def test_the_run_is_new_unless_somebody_says_which() -> None:
    root = compiled(hello.graph()).spec["root"]
    assert root["inputDefinitions"]["parameters"] == {
        "run": {"parameterType": "STRING", "defaultValue": "new", "isOptional": True}
    }


def test_names_of_tasks_are_those_of_kubernetes_and_no_two_are_alike() -> None:
    @pipeline
    def odd() -> list[int]:
        return [
            load.with_options(name=name)()
            for name in ("A.b", "A_b", "a-b", "_", "x" * 128, "End", "1st")
        ]

    (dag,) = dags(compiled(odd.graph()))
    assert list(dag["dag"]["tasks"]) == ["a-b", "a-b-2", "a-b-3", "x", "x" * 63, "end-2", "x-1st"]


@pytest.mark.parametrize("name", ["training", "Train_All.v2", "x" * 128])
def test_the_name_of_the_pipeline_is_one_of_kubernetes(name: str) -> None:
    said = compiled(hello.with_options(name=name).graph()).spec["pipelineInfo"]["name"]
    assert said == name.lower().replace("_", "-").replace(".", "-")[:50]


def test_retries_are_kubeflows_and_its_engine_never_gives_up_early() -> None:
    @pipeline
    def one() -> int:
        return heavy(1)

    policy = pods(compiled(one.graph()))["heavy"].task.retry_policy
    assert policy.max_retry_count == 3
    assert (policy.backoff_duration.seconds, policy.backoff_factor) == (10, 2)
    # For the engine it is the time of all attempts together, which a step may well need.
    assert policy.backoff_max_duration.seconds >= 7 * 24 * 3600


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        (Retry(times=2, delay=1.5), (2, 2)),
        (Retry(times=2, delay=0), (0, 2)),
        (Retry(times=2, factor=1.4), (1, 1)),
        (Retry(times=9, delay=1, longest=60), (60, 1)),
        (Retry(times=5000), (60, 1)),
        (Retry(times=2, delay=90, longest=60), (90, 1)),
    ],
)
def test_waits_are_whole_and_do_not_grow_beyond_the_longest(
    retry: Retry, waits: tuple[int, int]
) -> None:
    @pipeline
    def one() -> int:
        return load.with_options(retries=retry)()

    policy = pods(compiled(one.graph()))["load"].task.retry_policy
    assert (policy.backoff_duration.seconds, policy.backoff_factor) == waits


def test_a_step_without_retries_has_no_policy() -> None:
    assert not pods(compiled(hello.graph()))["load"].task.HasField("retry_policy")


def test_a_pod_lives_as_long_as_its_timeout_and_its_start() -> None:
    @pipeline
    def one() -> int:
        own = {"kubeflow": {"deadline": 12.5}}
        return heavy.with_options(settings=own)(heavy(load()))

    found = pods(compiled(one.graph()))
    assert found["heavy"].config.active_deadline_seconds == 600 + 600
    assert found["heavy-2"].config.active_deadline_seconds == 13
    assert found["load"].config.active_deadline_seconds == 0  # none


def test_resources_stand_there_for_old_and_new_kubeflows() -> None:
    @pipeline
    def one() -> int:
        return heavy(1)

    said = pods(compiled(one.graph()))["heavy"].container.resources
    assert (said.cpu_request, said.cpu_limit) == (0.5, 0.5)
    assert (said.resource_cpu_request, said.resource_cpu_limit) == ("500m", "500m")
    assert (said.memory_request, said.memory_limit) == (4.294967296, 4.294967296)
    assert (said.resource_memory_request, said.resource_memory_limit) == ("4Gi", "4Gi")
    devices = said.accelerator
    assert (devices.type, devices.count) == ("nvidia.com/gpu", 1)
    assert (devices.resource_type, devices.resource_count) == ("nvidia.com/gpu", "1")


def test_settings_of_resources_count_before_those_for_all_stacks() -> None:
    own = {
        "cpu": 2,
        "cpu_limit": 4,
        "memory_limit": "8Gi",
        "accelerator": "amd.com/gpu",
        "accelerator_count": 2,
    }

    @pipeline
    def one() -> int:
        return heavy.with_options(settings={"kubeflow": own})(1)

    said = pods(compiled(one.graph()))["heavy"].container.resources
    assert (said.resource_cpu_request, said.resource_cpu_limit) == ("2", "4")
    assert (said.resource_memory_request, said.resource_memory_limit) == ("4Gi", "8Gi")
    assert (said.accelerator.resource_type, said.accelerator.resource_count) == ("amd.com/gpu", "2")


def test_no_devices_are_asked_for_where_there_are_to_be_none() -> None:
    @pipeline
    def one() -> int:
        return heavy.with_options(settings={"kubeflow": {"accelerator_count": 0}})(1)

    found = pods(compiled(one.graph()))["heavy"].container.resources
    assert not found.HasField("accelerator")


def test_a_step_replaces_what_its_pipeline_says_and_that_what_the_stack_says() -> None:
    @pipeline
    def one() -> int:
        own = {"env": {"C": "step"}, "image": "own:1"}
        return double.with_options(settings={"kubeflow": own})(load())

    defaults = {"env": {"A": "stack", "B": "stack", "C": "stack"}, "pull_policy": "Always"}
    drawn = job(one.graph(), settings={"env": {"B": "pipeline", "C": "pipeline"}})
    found = pods(compiled(drawn, defaults=defaults))
    variables = {name: {e.name: e.value for e in pod.container.env} for name, pod in found.items()}
    assert {names.pop(ENVIRONMENT) for names in variables.values()} == {
        "registry.example/team/python:3\npython",
        "own:1\npython",
    }
    assert variables["load"] == {"A": "stack", "B": "pipeline", "C": "pipeline"}
    assert variables["double"] == {"A": "stack", "B": "pipeline", "C": "step"}
    assert found["double"].container.image == "own:1"
    assert {pod.config.image_pull_policy for pod in found.values()} == {"Always"}


def test_the_service_account_is_of_the_run() -> None:
    graph = hello.graph()
    assert compiled(graph).service_account is None
    assert compiled(graph, service_account="stack").service_account == "stack"
    drawn = job(graph, settings={"service_account": "pipeline"})
    assert compiled(drawn, service_account="stack").service_account == "pipeline"


def test_without_an_image_it_is_said_how_to_give_one() -> None:
    with pytest.raises(CannotRun, match="no image") as caught:
        compiled(hello.graph(), image="")
    assert "penstock orchestrator update kubeflow --image=IMAGE" in str(caught.value)


def test_wrong_settings_are_told_all_at_once() -> None:
    drawn = job(hello.graph(), settings={"imge": "a", "cpu": "many"})
    with pytest.raises(CannotRun) as caught:
        compiled(drawn)
    assert "Did you mean 'image'?" in str(caught.value)
    assert "setting 'cpu': 'many' does not fit: a number is needed." in str(caught.value)


# Maps


def test_few_items_are_a_pod_each() -> None:
    found = pods(compiled(spread.graph(width=4)))
    assert names(found) == ["double.0", "double.1", "double.2", "double.3", "total"]
    assert found["total"].before == set(found) - {"total"}


def test_many_items_share_few_pods() -> None:
    found = pods(compiled(spread.graph(width=10)))
    assert names(found) == ["double:0/4", "double:1/4", "double:2/4", "double:3/4", "total"]
    assert found["total"].before == set(found) - {"total"}


def test_shares_are_of_all_items_and_those_without_a_pending_one_are_left_out() -> None:
    graph = spread.graph(width=10)
    done = ["double.0", "double.1", "double.7"]  # the first of four shares, and one of the last
    assert names(pods(compiled(job(graph, done)))) == [
        "double:1/4",
        "double:2/4",
        "double:3/4",
        "total",
    ]


def test_items_are_a_pod_each_again_where_few_are_left() -> None:
    graph = spread.graph(width=10)
    done = [f"double.{i}" for i in range(7)]
    assert names(pods(compiled(job(graph, done)))) == ["double.7", "double.8", "double.9", "total"]


@given(items=st.integers(1, 60), count=st.integers(1, 20), data=st.data())
@settings(max_examples=40, deadline=None)
def test_every_pending_item_is_in_exactly_one_pod(
    items: int, count: int, data: st.DataObject
) -> None:
    done = data.draw(st.sets(st.integers(0, items - 1), max_size=items - 1))
    drawn = job(spread.graph(width=items), [f"double.{i}" for i in done], settings={"pods": count})
    ran: list[int] = []
    for name in pods(compiled(drawn)):
        if ":" in name:
            share, of = map(int, name.partition(":")[2].split("/"))
            assert of == count
            ran += [
                i for i in range(share * items // of, (share + 1) * items // of) if i not in done
            ]
        elif name.startswith("double."):
            ran.append(int(name.partition(".")[2]))
    assert sorted(ran) == sorted(set(range(items)) - done)


def test_a_map_over_what_is_known_later_has_as_many_pods_as_it_may() -> None:
    found = pods(compiled(job(known_later.graph(), settings={"pods": 2})))
    assert names(found) == ["double:0/2", "double:1/2", "several", "total"]
    assert found["total"].before == {"several", "double:0/2", "double:1/2"}
    assert found["double:1/2"].before == {"several"}


def test_the_deadline_of_a_share_is_that_of_all_its_items() -> None:
    @pipeline
    def one() -> int:
        return total(heavy.map(list(range(9))))

    found = pods(compiled(one.graph()))
    assert {pod.config.active_deadline_seconds for name, pod in found.items() if ":" in name} == {
        3 * 600 + 600
    }


def test_items_that_nobody_can_count_have_no_deadline_in_common() -> None:
    @pipeline
    def one() -> int:
        return total(heavy.map(several()))

    found = pods(compiled(one.graph()))
    assert found["heavy:0/4"].config.active_deadline_seconds == 0


def test_a_condition_is_waited_for_and_decided_in_the_pod() -> None:
    @pipeline
    def one() -> int:
        return double.when(checked(1).fine)(2)

    found = pods(compiled(one.graph()))
    assert found["double"].before == {"checked"}
    assert not found["double"].task.trigger_policy.condition


# The end of a run


def test_hooks_are_told_by_a_task_that_depends_on_one_dag_of_all_steps() -> None:
    made = compiled(job(chain.graph(length=3), ends=True))
    tasks = made.spec["root"]["dag"]["tasks"]
    assert sorted(tasks) == ["end", "steps"]
    assert tasks["end"]["dependentTasks"] == ["steps"]
    assert tasks["end"]["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert "dependentTasks" not in tasks["steps"]
    found = pods(made)
    assert found["--end"].before == {"load", "double", "double-2"}
    assert "--end" in found["--end"].container.args
    assert "--call" not in found["--end"].container.args


def test_the_end_has_the_settings_of_the_run_and_asks_for_no_resources() -> None:
    @pipeline
    def one() -> int:
        return heavy(1)

    drawn = job(one.graph(), settings={"env": {"A": "1"}, "deadline": 99}, ends=True)
    end = pods(compiled(drawn))["--end"]
    assert [e.name for e in end.container.env] == ["A", ENVIRONMENT]
    assert not end.container.HasField("resources")
    assert end.config.active_deadline_seconds == 99


def test_a_large_graph_with_hooks_is_still_one_dag_and_its_end() -> None:
    made = compiled(job(chain.graph(length=700), ends=True))
    assert sorted(made.spec["root"]["dag"]["tasks"]) == ["end", "steps"]
    assert len(pods(made)["--end"].before) == 700


# The same everywhere


CHILD = """
import sys
sys.path += [sys.argv[1]]
from large_graphs import spread, wide
from drawn_jobs import compiled, job
from penstock_kubeflow import document
secrets = {name: "database/key" for name in "QWERTY"}
drawn = job(wide.graph(width=300), settings={"secret_env": secrets, "labels": {"b": "1", "a": "2"}})
print(document.text(compiled(drawn)))
print(document.text(compiled(job(spread.graph(width=9), ends=True))))
"""


def test_the_same_job_is_the_same_text_in_every_process() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", CHILD, str(Path(__file__).parent)],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert len(said[0]) > 10_000


def test_neither_kfp_nor_pydantic_nor_networkx_is_needed_to_compile() -> None:
    code = (
        "import sys; sys.path += [sys.argv[1]]\n"
        "from large_graphs import spread\nfrom drawn_jobs import compiled\n"
        "from penstock_kubeflow import document\n"
        "document.text(compiled(spread.graph(width=9)))\n"
        "print({'kfp', 'pydantic', 'networkx', 'yaml', 'google.protobuf'} & set(sys.modules))"
    )
    argv = [sys.executable, "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "drawn",
    [
        job(hello.graph()),
        job(spread.graph(width=30), ends=True),
        job(known_later.graph(), settings={"env": {"A": "b"}}),
        job(apart.graph(chains=200, length=3), ends=True),
    ],
    ids=["hello", "map", "known later", "large"],
)
def test_every_placeholder_is_one_that_kubeflow_resolves(drawn: object) -> None:
    made = compiled(drawn)  # type: ignore[arg-type]
    document.checked(made)
    assert list(unresolved(made.spec, made.platform)) == []


def test_resources_of_steps_are_written_exactly() -> None:
    @pipeline
    def one() -> int:
        asked = Resources(cpu=0.0001, memory="1.5Gi")
        return load.with_options(resources=asked)()

    said = pods(compiled(one.graph()))["load"].container.resources
    assert said.resource_cpu_limit == "1m"  # the least that Kubernetes knows
    assert said.resource_memory_limit == "1.5Gi"


def test_wide_graphs_of_one_step_wait_for_it_alone() -> None:
    found = pods(compiled(wide.graph(width=600)))
    doubles = [pod for name, pod in found.items() if name.startswith("double")]
    assert len(doubles) == 600
    assert all(pod.before == {"load"} for pod in doubles)
