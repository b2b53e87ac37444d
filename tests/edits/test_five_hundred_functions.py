"""A project of 500 functions in 25 modules: an edit of one runs its dependants and no other."""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fresh import Fresh, home

MODULES, EACH, STEPS = 25, 20, 30
PRIME = 1_000_003

MAIN = """\
import json

from penstock import pipeline
from work import steps


@pipeline(progress=False)
def everything() -> dict[str, int]:
    return steps.drawn()


if __name__ == "__main__":
    run = everything.run()
    print(json.dumps({v.id: v.status for v in run}))
    assert run.result() == everything()
"""


@dataclass
class Generated:
    """The text of a project, and who needs whom in it."""

    files: dict[str, str] = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)
    """What each function and each step names."""
    takes: dict[str, str] = field(default_factory=dict)
    """The step whose result each step is given, if there is one."""

    def reached(self, name: str) -> set[str]:
        """All functions that one needs, and itself."""
        found = {name}
        for each in self.needs[name]:
            found |= self.reached(each)
        return found

    def dependants(self, function: str) -> set[str]:
        """The steps that must run again when a function gives something else."""
        found = set[str]()
        for step in self.takes:  # in the order in which they run
            if function in self.reached(step) or self.takes[step] in found:
                found.add(step)
        return found


def generated() -> Generated:
    chance = random.Random(500)
    project = Generated()
    known: list[str] = []
    for number in range(MODULES):
        module = f"m{number:02}"
        own = [f"{module}_f{each:02}" for each in range(EACH)]
        bodies, imports = [], set[str]()
        for name in own:
            here = [each for each in known if each.startswith(module)]
            wanted = {
                *chance.sample(known, min(len(known), 1)),
                *chance.sample(here, min(len(here), 1)),
            }
            project.needs[name] = wanted if chance.random() < 0.7 else set()
            terms = [called(each, module, imports, chance) for each in sorted(project.needs[name])]
            total = " + ".join(
                [f"{chance.randrange(2, 99)} * value", str(chance.randrange(PRIME)), *terms]
            )
            bodies.append(f"def {name}(value: int) -> int:\n    return ({total}) % {PRIME}\n")
            known.append(name)
        project.files[f"work/{module}.py"] = "\n\n".join(["\n".join(sorted(imports)), *bodies])
    project.files["work/__init__.py"] = ""
    project.files["work/steps.py"] = steps(project, known, chance)
    project.files["main.py"] = MAIN
    return project


def called(name: str, module: str, imports: set[str], chance: random.Random) -> str:
    """A call of a function, which is imported in one of the ways there are."""
    source = name.partition("_")[0]
    if source == module:
        return f"{name}(value)"
    way = chance.choice(["name", "module", "chain"])
    if way == "name":
        imports.add(f"from work.{source} import {name}")
        return f"{name}(value)"
    if way == "module":
        imports.add(f"from work import {source}")
        return f"{source}.{name}(value)"
    imports.add(f"import work.{source}")
    return f"work.{source}.{name}(value)"


def steps(project: Generated, known: list[str], chance: random.Random) -> str:
    """A module of steps, of which some are given what others have returned."""
    imports, bodies, drawn = {"from penstock import step"}, [], []
    for number in range(STEPS):
        name = f"step_{number:02}"
        project.needs[name] = {*chance.sample(known, 2)}
        project.takes[name] = f"step_{chance.randrange(number):02}" if number % 3 == 2 else ""
        terms = [called(each, "", imports, chance) for each in sorted(project.needs[name])]
        bodies.append(f"@step\ndef {name}(value: int) -> int:\n    return {' + '.join(terms)}\n")
        given = f"{project.takes[name]}_out" if project.takes[name] else number
        drawn.append(f"    {name}_out = {name}({given})")
    names = ", ".join(f'"{name}": {name}_out' for name in project.takes)
    body = "\n".join(["def drawn() -> dict[str, int]:", *drawn, f"    return {{{names}}}\n"])
    return "\n\n".join(["\n".join(sorted(imports)), *bodies, body])


@pytest.fixture(scope="module")
def project() -> Generated:
    return generated()


@pytest.fixture(scope="module")
def begun(
    project: Generated, tmp_path_factory: pytest.TempPathFactory, processes: tuple[Fresh, Fresh]
) -> Iterator[Path]:
    """The project after its first run."""
    folder = tmp_path_factory.mktemp("five_hundred") / "project"
    for name, text in project.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    assert ran(folder, processes[0]) == set(project.takes)
    yield folder
    shutil.rmtree(folder)


def ran(folder: Path, process: Fresh) -> set[str]:
    said = json.loads(process.run(folder, [], home(folder)))
    return {name for name, status in said.items() if status == "completed"}


def edited(name: str) -> tuple[str, str]:
    """The file of a function, and what stands before its body."""
    return f"work/{name.partition('_')[0]}.py", f"def {name}(value: int) -> int:\n    return ("


def test_there_are_five_hundred_functions_in_twenty_five_modules(project: Generated) -> None:
    texts = [text for name, text in project.files.items() if name.startswith("work/m")]
    assert (len(texts), sum(text.count("def ") for text in texts)) == (25, 500)


def test_the_functions_have_few_dependants_and_many(project: Generated) -> None:
    counts = {len(project.dependants(name)) for name in project.needs if name.startswith("m")}
    assert min(counts) == 0
    assert max(counts) > 10


@pytest.mark.parametrize(
    "function", ["m00_f03", "m03_f11", "m08_f00", "m12_f19", "m20_f05", "m24_f07"]
)
def test_who_edits_a_function_runs_its_dependants_again_and_no_other(
    project: Generated, begun: Path, processes: tuple[Fresh, Fresh], function: str, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(begun, folder)
    file, before = edited(function)
    text = (folder / file).read_text("utf-8")
    assert before in text
    (folder / file).write_text(text.replace(before, before + "5 + "), "utf-8")
    assert ran(folder, processes[1]) == project.dependants(function)
