"""What notebooks show, and that looking at a value never raises."""

import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from penstock import LocalArtifactStore, LocalOrchestrator, RunFailed, Secret, Stack, pipeline, step


@step
def load(count: int) -> list[int]:
    return list(range(count))


@step
def total(rows: list[int], limit: int = 10) -> int:
    if sum(rows) > limit:
        raise ValueError(f"<b>{limit}</b> is the limit")
    return sum(rows)


@pipeline(progress=False)
def adding(count: int = 3) -> int:
    return total(load(count))


@pipeline
def needing(count: int, factor: "float" = 0.5) -> int:
    return total(load(count))


@pipeline
def raising() -> None:
    raise SystemExit("<script>")


def shown(value: Any) -> str:
    """What a notebook shows, as text without markup."""
    page = value._repr_html_()
    assert page is not None
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(text).split())


def test_a_graph_is_its_picture_and_the_number_of_steps() -> None:
    assert "adding: 2 steps" in shown(adding.graph())
    assert "<svg" in str(adding.graph()._repr_html_())


def test_a_graph_as_svg_stands_alone() -> None:
    assert adding.graph().to_svg().startswith('<svg xmlns="http://www.w3.org/2000/svg" ')


def test_a_pipeline_that_needs_nothing_is_its_graph() -> None:
    said = shown(adding)
    assert "pipeline adding adding(count: int = 3) -> int" in said
    assert "load total" in said


def test_a_pipeline_that_needs_something_is_its_parameters() -> None:
    said = shown(needing)
    assert "parameter type default count int factor float 0.5" in said
    assert "<svg" not in str(needing._repr_html_())


def test_a_pipeline_that_cannot_be_drawn_is_its_text() -> None:
    assert raising._repr_html_() is None


def test_a_run_is_what_became_of_it() -> None:
    run = adding.run()
    said = shown(run)
    for each in (run.id, "status completed", "stack default (the default)", "took", "load"):
        assert each in said, each


def test_a_failed_run_says_why() -> None:
    with pytest.raises(RunFailed) as caught:
        adding.run(count=9)
    page = str(caught.value.run._repr_html_())
    assert "total: ValueError: &lt;b&gt;10&lt;/b&gt; is the limit" in page


def test_a_run_whose_store_is_gone_is_shown_all_the_same() -> None:
    run = adding.run()
    shutil.rmtree(".penstock")
    run._repr_html_()
    assert repr(run).startswith(f"<run {run.id} of 'adding': ")


def test_a_run_whose_seal_is_corrupt_is_shown_all_the_same() -> None:
    run = adding.run()
    seal = Path(f".penstock/runs/{run.id}/end.json")
    seal.chmod(0o644)
    seal.write_bytes(b"{")
    assert "cannot be read" in shown(run)
    assert repr(run) == f"<run {run.id} of 'adding': its store cannot be read>"


def test_a_stack_is_its_components_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", "resolved")
    store = LocalArtifactStore(path="s", signing_key=(Secret("literal"), Secret("${env:TEAM_KEY}")))
    stack = Stack("mine", orchestrator=LocalOrchestrator(max_workers=3), artifact_store=store)
    said = shown(stack)
    assert "stack mine chosen by given in code" in said
    assert "orchestrator local local max_workers: 3 given in code" in said
    assert "path: s" in said
    assert "signing_key: ***" in said
    assert "literal" not in said
    assert "resolved" not in said


def test_a_reference_is_shown_as_it_is_written() -> None:
    store = LocalArtifactStore(signing_key=Secret("${env:TEAM_KEY}"))
    stack = Stack("mine", orchestrator=LocalOrchestrator(), artifact_store=store)
    assert "signing_key: ${env:TEAM_KEY}" in shown(stack)


def test_ipython_takes_the_html() -> None:
    shell = InteractiveShell.instance()
    try:
        data, _ = shell.display_formatter.format(adding.graph())  # type: ignore[union-attr]
        assert "<svg" in data["text/html"]
        data, _ = shell.display_formatter.format(raising)  # type: ignore[union-attr]
        assert (set(data), data["text/plain"][:17]) == ({"text/plain"}, "<pipeline raising")
    finally:
        InteractiveShell.clear_instance()
