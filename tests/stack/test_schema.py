"""The schema for editors: it takes what penstock takes, and is kept where the file says."""

import json
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from penstock.errors import StackError
from penstock.stack import describe
from penstock.stack import flavor as flavor_of
from penstock.stack.component import ComponentSpec
from penstock.stack.making import make
from penstock.stack.option_schema import options
from penstock.stack.parsing import configuration
from penstock.stack.project import Project, user_file
from penstock.stack.schema import keep_schema, schema, schema_file, schema_line

OWN = {"orchestrator": {"oven": "kitchen:Oven"}}

WHOLE = """\
active: prod
orchestrators:
  many: {flavor: local, max_workers: "${env:CORES}", workers: processes, resources: {cpu: 2}}
  big: {flavor: oven, host: "https://oven.example", trays: 2, key: ["${env:A}", "${file:b}"]}
artifact_stores:
  bucket: {flavor: s3, path: s3://bucket/x, deadline: 5.5, extra: {a: {b: [1]}}}
step_operators:
flavors: {orchestrator: {oven: "kitchen:Oven"}, step-operator: }
stacks:
  prod:
    orchestrator: many
    artifact_store: bucket
    step_operators:
    steps: {train: {retries: {times: 2, delay: 1}, resources: {memory: 4Gi}}, load: {retries: 3}}
    secrets: {DB_URL: "${env:DB_URL}"}
"""


@pytest.fixture(scope="module")
def ovens(kitchen: ModuleType) -> Draft202012Validator:
    """The schema where there are ovens."""
    return Draft202012Validator(schema(OWN))


def said(validator: Draft202012Validator, text: str) -> list[str]:
    data = YAML(typ="safe").load(text)
    return [each.message for each in validator.iter_errors(data)]


def complaints(own: Any, text: str) -> list[str]:
    return said(Draft202012Validator(schema(own)), text)


def test_it_is_a_json_schema(ovens: Draft202012Validator) -> None:
    Draft202012Validator.check_schema(ovens.schema)


@pytest.mark.parametrize("text", [WHOLE, "stacks:\n", "# nothing\n", "{}"])
def test_it_takes_a_file_that_penstock_takes(ovens: Draft202012Validator, text: str) -> None:
    configuration(Path("penstock.yaml"), text)

    assert said(ovens, text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("active: prod", "activ: prod"),
        ("active: prod", "active: [prod]"),
        ("orchestrators:\n", "orchestrator:\n"),
        ("  many:", "  default:"),
        ("  many:", "  a b:"),
        ("  prod:", "  default:"),
        ("flavor: local, ", ""),
        ("flavor: local", "flavor: lokal"),
        ("max_workers", "max_worker"),
        ('"${env:CORES}"', "lots"),
        ("workers: processes", "workers: elves"),
        ("{cpu: 2}", "{cpus: 2}"),
        ('host: "https://oven.example", ', ""),
        ("trays: 2", "trays: 0"),
        ("path: s3://bucket/x, ", ""),
        ("deadline: 5.5", "deadline: [5.5]"),
        ('"kitchen:Oven"', "kitchen"),
        ("step-operator: ", "stepoperator: "),
        ("    artifact_store: bucket\n", ""),
        ("step_operators:\n    steps", "step_operators: gpu\n    steps"),
        ("retries: 3", "retry: 3"),
        ("times: 2", "time: 2"),
        ("memory: 4Gi", "ram: 4Gi"),
        ("DB_URL: ", "DB-URL: "),
    ],
)
def test_it_complains_of_what_penstock_complains_of(
    ovens: Draft202012Validator, old: str, new: str
) -> None:
    assert old in WHOLE
    assert said(ovens, WHOLE.replace(old, new, 1))


@pytest.mark.parametrize("flavor", ["fsspec", "s3"])
def test_a_store_elsewhere_has_to_be_told_where(flavor: str) -> None:
    found = {
        each.name: each
        for each in describe.options(flavor_of.find("artifact-store", flavor).load())
    }

    assert [name for name, each in found.items() if each.required] == ["path"]


@pytest.mark.parametrize("flavor", ["local", "fsspec", "s3"])
def test_every_option_is_described(flavor: str) -> None:
    found, _ = options(flavor_of.find("artifact-store", flavor).load(), "x")

    assert found
    assert all(each["description"].strip() for each in found.values())


VALUES = st.one_of(
    st.none(),
    st.integers(-3, 300),
    st.floats(0.5, 0.9),
    st.sampled_from(["fan", "grill", "text", "", "${env:OVEN_NUMBER}"]),
    st.lists(st.sampled_from(["${env:OVEN_NUMBER}", 1, "x"]), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.sampled_from(["x", "y", 1]), max_size=2),
)


@given(
    written=st.dictionaries(
        st.sampled_from(["host", "degrees", "mode", "labels", "trays", "key", "colour"]), VALUES
    )
)
def test_it_takes_exactly_the_options_that_make_a_component(
    ovens: Draft202012Validator, written: dict[str, Any]
) -> None:
    os.environ["OVEN_NUMBER"] = "7"
    try:
        make(ComponentSpec("orchestrator", "big", "oven", written), OWN)
    except StackError:
        fits = False
    else:
        fits = True
    data = {"orchestrators": {"big": {"flavor": "oven", **written}}}

    # What a variable holds, only who runs the pipeline can know.
    if "${env:OVEN_NUMBER}" not in str(written) or fits:
        assert ovens.is_valid(data) is fits


STRANGE = """
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

from penstock.stack import Orchestrator


class Heat(Enum):
    LOW = "low"


@dataclass(frozen=True)
class Tray:
    made_of: Any = object()
    depth: int = 1
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Strange(Orchestrator):
    flavor: ClassVar[str] = "strange"

    title: str = ""
    then: Callable[[], None] | None = None
    lock: Path = Path("x")
    wait: timedelta = timedelta(1)
    heat: Heat = Heat.LOW
    trays: list[Tray] = field(default_factory=list)
    anything: Any = None

    def submit(self, job, observer): ...
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where modules are found."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "strange_orch.py").write_text(STRANGE)
    (folder / "needy_orch.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("strange_orch", None)


@pytest.mark.usefixtures("site")
def test_types_of_all_kinds_have_a_place_in_it() -> None:
    own = {"orchestrator": {"strange": "strange_orch:Strange"}}
    text = """\
orchestrators:
  a:
    {flavor: strange, title: x, lock: a/b, wait: 5, heat: low, anything: [1],
     trays: [{title: x, depth: "${env:DEPTH}", made_of: 1}]}
"""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Draft202012Validator.check_schema(schema(own))

    assert complaints(own, text) == []
    assert complaints(own, text.replace("heat: low", "heat: high"))
    assert complaints(own, text.replace("depth:", "deep:"))


@pytest.mark.usefixtures("site")
def test_a_flavor_that_does_not_load_takes_any_options_and_says_why() -> None:
    own = {"orchestrator": {"needy": "needy_orch:Needy"}}

    assert complaints(own, "orchestrators: {a: {flavor: needy, whatever: 1}}") == []
    assert "needs the library 'no_such_library'" in json.dumps(schema(own))


def offered(site: Path) -> None:
    info = site / "acme-1.0.dist-info"
    info.mkdir()
    needs = "Requires-Dist: no-such-library; extra == 'loud'\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n{needs}")
    (info / "entry_points.txt").write_text("[penstock.alerters]\nbell = needy_orch:Bell [loud]\n")


def test_a_category_of_a_package_is_in_it(site: Path) -> None:
    text = "alerters: {a: {flavor: bell}}\nstacks: {s: {orchestrator: a, artifact_store: b, "

    assert complaints({}, text + "alerters: [a]}}")
    offered(site)
    assert complaints({}, text + "alerters: [a]}}") == []
    assert complaints({}, text + "alerters: a}}")
    assert "Of acme. To install: pip install 'acme[loud]'" in json.dumps(schema({}))


def test_the_first_line_of_a_file_leads_to_its_schema(project: Project) -> None:
    project.file.write_text(f"{schema_line(project.file)}\n")
    keep_schema(project)
    written = project.file.read_text()

    assert written == "# yaml-language-server: $schema=.penstock/schema.json\n"
    place = project.root / written.strip().partition("$schema=")[2]
    assert json.loads(place.read_text()) == schema({})
    assert (project.folder / ".gitignore").read_text() == "*\n"


def test_the_users_own_file_has_one_beside_it(project: Project) -> None:
    file = user_file()
    assert file is not None
    file.parent.mkdir(parents=True)
    file.write_text(f"{schema_line(file)}\n")
    keep_schema(project)

    assert file.read_text() == "# yaml-language-server: $schema=schema.json\n"
    assert schema_file(file).parent == file.parent
    assert json.loads(schema_file(file).read_text()) == schema({})
    assert not project.folder.exists()


def test_it_is_written_again_only_when_something_has_changed(project: Project, site: Path) -> None:
    def kept() -> tuple[int, str]:
        keep_schema(project)
        file = schema_file(project.file)
        return file.stat().st_ino, file.read_text()

    project.file.write_text("\n")
    first = kept()
    assert kept() == first
    offered(site)
    assert "alerters" in kept()[1]
    project.file.write_text('flavors: {orchestrator: {strange: "strange_orch:Strange"}}\n')
    second = kept()
    assert '"strange"' in second[1]
    assert kept() == second
    (site / "strange_orch.py").write_text(STRANGE.replace("anything", "whatsoever"))
    del sys.modules["strange_orch"]
    assert '"whatsoever"' in kept()[1]


def test_a_schema_that_was_broken_by_hand_is_made_whole(project: Project) -> None:
    project.file.write_text("\n")
    keep_schema(project)
    schema_file(project.file).write_bytes(b"\xff{")
    keep_schema(project)

    assert json.loads(schema_file(project.file).read_text()) == schema({})


def test_a_place_that_cannot_be_written_is_said(project: Project) -> None:
    project.file.write_text("\n")
    schema_file(project.file).mkdir(parents=True)

    with pytest.raises(StackError, match=r"schema\.json cannot be written: Is a directory"):
        keep_schema(project)
    assert {each.name for each in project.folder.iterdir()} == {".gitignore", "schema.json"}
