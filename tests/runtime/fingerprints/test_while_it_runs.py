"""What a run leaves behind in its process is no reason to run again; what a person does is."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.runtime.fingerprints.fingerprints import Fingerprints

STEPS = """
    import functools
    from penstock import step

    @functools.singledispatch
    def shown(value):
        return "any"

    @shown.register
    def _(value: int):
        return "int"

    class Held:
        @functools.cached_property
        def size(self):
            return 3

    HELD = Held()

    @step
    def work() -> str:
        from later import helped
        return shown(helped(HELD.size)) + shown("text")
"""
FILES = {
    "steps.py": STEPS,
    "later.py": """
        import functools
        import json
        import logging
        from latest import deeper

        LOG = logging.getLogger(__name__)
        SIZES = json.loads("[1, 2]")
        RATE = 2

        @functools.lru_cache
        def kept(value):
            return value

        def helped(value):
            LOG.debug("helped")
            return kept(value) + deeper()
    """,
    "latest.py": """
        import threading
        try:
            import nowhere
        except ImportError:
            nowhere = None
        LOCK = threading.Lock()

        def deeper():
            return 1
    """,
}


def digest(steps: Any) -> str:
    """As another run of the process would find it."""
    return Fingerprints().of_step(steps.work).digest


def test_what_a_step_imports_and_keeps_while_it_runs_changes_nothing(projects: Any) -> None:
    steps = projects.loaded(FILES)
    before = digest(steps)
    steps.work()
    assert digest(steps) == before


def by_rate(later: Any) -> None:
    later.RATE = 3


def by_function(later: Any) -> None:
    later.helped = lambda value: value


def by_sizes(later: Any) -> None:
    later.SIZES = [3]


@pytest.mark.parametrize("change", [by_rate, by_function, by_sizes])
def test_what_is_replaced_in_a_module_that_a_step_has_imported_counts(
    projects: Any, change: Callable[[Any], None]
) -> None:
    steps = projects.loaded(FILES)
    before = digest(steps)
    steps.work()
    assert digest(steps) == before  # from here on it is known what was in the module
    change(__import__("later"))
    assert digest(steps) != before


def test_a_file_that_was_edited_since_a_step_has_imported_it_is_not_believed(
    projects: Any, tmp_path: Any
) -> None:
    steps = projects.loaded(FILES)
    before = digest(steps)
    steps.work()
    file = tmp_path / "1" / "later.py"
    file.write_text(file.read_text().replace("[1, 2]", "[1, 3]"))
    edited = digest(steps)
    assert edited != before
    assert (
        edited
        != projects.of({**FILES, "later.py": FILES["later.py"].replace("[1, 2]", "[1, 3]")}).digest
    )


def test_what_is_registered_for_a_type_counts(same: Any) -> None:
    assert not same({**FILES, "steps.py": STEPS}, "steps.py", 'return "int"', 'return "number"')


def test_a_file_that_nobody_can_look_at_is_never_the_same(projects: Any) -> None:
    files = {
        "steps.py": """
            from penstock import File, step
            GIVEN = File("/nowhere/at/all.csv")

            @step
            def work() -> str:
                return GIVEN.path
        """
    }
    steps = projects.loaded(files)
    one, other = (Fingerprints().of_step(steps.work) for _ in range(2))
    assert one.digest != other.digest
    assert {unit.name for unit in one.units} == {"steps:work", "steps.GIVEN"}


def test_a_function_put_into_a_class_of_a_library_while_the_process_lives_counts(
    projects: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "steps.py": """
            import string
            from penstock import step

            def own(self):
                return "own"

            @step
            def work() -> str:
                return string.Template("a").substitute()
        """
    }
    steps = projects.loaded(files)
    before = digest(steps)
    monkeypatch.setattr("string.Template.substitute", steps.own)
    assert digest(steps) != before


class Neighbour:
    """Each leads to all others: there are more ways through them than anybody can walk."""

    def __init__(self) -> None:
        self.others: list[Neighbour] = []


CROWD = [Neighbour() for _ in range(12)]
for one in CROWD:
    one.others = list(CROWD)


def test_what_has_no_end_in_sight_is_never_the_same() -> None:
    from penstock import pipeline, step

    @step
    def counted() -> int:
        return len(CROWD)

    @pipeline(progress=False)
    def counting() -> int:
        return counted()

    assert counting.run()["counted"].status == "completed"
    again = counting.run()
    assert again["counted"].status == "completed"
    assert "more than 30,000 things" in str(again.why("counted")[0])
