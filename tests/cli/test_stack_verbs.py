"""`penstock stack register`, `update`, `delete`, `set`: what they write, and what they refuse."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.cli import stack
from penstock.cli.group import named
from penstock.stack.project import Project
from penstock.stack.registry import Registry

FILE = """\
active: default  # the team's
orchestrators:
  wide: {flavor: local, max_workers: 8}
artifact_stores:
  bucket: {flavor: local, path: store}
step_operators:
  gpu: {flavor: subprocess}
  big: {flavor: subprocess}
stacks:
  prod:
    orchestrator: wide  # of our own
    artifact_store: bucket
    step_operators: [gpu, big]
    steps: {train: {retries: 2, step_operator: gpu}}
    secrets: {DB: "${env:DB_URL}"}
"""

TEAM = ["--orchestrator", "wide", "--artifact-store=bucket"]


@pytest.fixture
def file(project: Path) -> Path:
    path = project / "penstock.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def stacks(project: Path) -> Any:
    """What the file says of a stack."""
    return lambda name: Registry(Project(project)).stacks()[name].entry()


@pytest.fixture
def typed(penstock: Any) -> Any:
    """Types a line as a shell would."""
    return lambda line: penstock(*shlex.split(line)[1:])


def test_a_stack_is_registered_of_components_by_name(
    penstock: Any, file: Path, stacks: Any
) -> None:
    said = penstock("stack", "register", "new", *TEAM, "-s", "big", "--step-operator=gpu")
    assert (said.code, said.out) == (0, "stack new: registered (penstock.yaml:16)\n")
    assert stacks("new") == {
        "orchestrator": "wide", "artifact_store": "bucket", "step_operators": ["big", "gpu"],
    }  # fmt: skip
    assert file.read_text().startswith(FILE)


def test_steps_and_secrets_are_given_as_yaml(penstock: Any, file: Path, stacks: Any) -> None:
    steps = "--steps={train: {retries: 2, resources: {cpu: 0.5}}}"
    secrets = '--secrets={DB: "${env:DB_URL}"}'
    assert (
        penstock("stack", "register", "new", "-o", "wide", "-a", "bucket", steps, secrets).code == 0
    )
    assert stacks("new")["steps"] == {"train": {"retries": 2, "resources": {"cpu": 0.5}}}
    assert stacks("new")["secrets"] == {"DB": "${env:DB_URL}"}


def test_a_stack_can_be_active_as_soon_as_it_is_registered(penstock: Any, file: Path) -> None:
    said = penstock("stack", "register", "new", *TEAM, "--set")
    assert said.out.splitlines()[1] == "Active: new (penstock stack set, in .penstock/active)"
    assert penstock("stack", "get", "--json").data["stack"] == "new"


@pytest.mark.usefixtures("file")
def test_a_registration_is_data_as_well(penstock: Any) -> None:
    assert penstock("stack", "register", "new", *TEAM, "--set", "--json").data == {
        "stack": "new",
        "active": "new",
        "warning": None,
        "changes": [
            {
                "what": "stack new", "how": "registered", "written_in": "penstock.yaml:16",
                "undo": "penstock stack delete new", "remarks": [],
            }
        ],
    }  # fmt: skip


def test_without_a_project_file_a_stack_goes_into_the_users_own(
    penstock: Any, project: Path
) -> None:
    (project / "penstock.yaml").unlink()
    said = penstock("stack", "register", "mine", "-o", "default", "-a", "default")
    assert ".config/penstock/penstock.yaml:" in said.out
    assert not (project / "penstock.yaml").exists()


def test_the_users_own_file_can_be_asked_for(penstock: Any, file: Path) -> None:
    said = penstock(
        "stack", "register", "mine", "-o", "default", "-a", "default", "--user", "--json"
    )
    assert said.data["changes"][0]["undo"] == "penstock stack delete mine --user"
    assert file.read_text() == FILE
    assert penstock("stack", "delete", "prod", "--user").err.startswith("Error: The stack 'prod' ")
    assert penstock("stack", "delete", "mine", "--user").code == 0


NEW = "register new -o wide -a bucket"

REFUSED = [
    ("register new -o wid -a bucket", 3, "Did you mean 'wide'? To register it, type: penstock "),
    (f"{NEW} -s huge", 3, "type: penstock step-operator register huge --flavor=…"),
    (f"{NEW} -d there", 3, "There is no model deployer 'there'. There are: none."),
    ("register new -o wide -a ''", 3, "penstock artifact-store register NAME"),
    ("register prod -o wide -a bucket", 3, "The stack name 'prod' is taken: penstock.yaml:10:3."),
    ("register Prod -o wide -a bucket", 3, "differs from 'prod' (penstock.yaml:10:3) only by"),
    ("register default -o wide -a bucket", 3, "The stack 'default' is built in."),
    ("register 'Production Stack' -o wide -a bucket", 3, "Take 'production-stack', for"),
    (f"{NEW} -o wide", 2, "A stack has one orchestrator, not 2."),
    (f"{NEW} -s gpu -s gpu", 3, "'gpu' is there twice."),
    (f"{NEW} --steps=5", 3, "A stack's steps are a mapping, and not 5."),
    (f"{NEW} --steps='{{a: 5}}'", 3, "The options of step 'a' are a mapping, and not 5."),
    (f"{NEW} --steps='{{a: {{retris: 5}}}}'", 3, "Did you mean 'retries'?"),
    (f"{NEW} --steps='{{a: '", 3, "--steps:1:5: This is not YAML"),
    (f"{NEW} --secrets='{{A: [1]}}'", 3, "The secret 'A' must be text"),
    (f"{NEW} --secrets='{{A: 5}}'", 3, "The secret 'A' must be text"),
    (f"{NEW} --secrets='{{A: s3cret}}'", 3, "Write ${env:NAME} or"),
    (f"{NEW} --data-validator=x", 2, "No such option '--data-validator'"),
    (f"{NEW} --artifact-stor=x", 2, "Did you mean '--artifact-store'?"),
    ("register", 2, "--orchestrator"),
    ("register new -o wide", 2, "--artifact-store"),
    ("register new -i", 2, "--artifact-store"),
    ("update prod", 2, "penstock stack update prod --artifact-store=NAME"),
    ("update prd -o wide", 3, "There is no stack 'prd'. Stacks: 'default', 'prod'.\nDid you mean"),
    ("update default -o wide", 3, "The stack 'default' is built in"),
    ("update prod -s big", 3, "Step 'train': 'gpu' is not among the stack's step operators"),
    ("update prod --unset=step", 3, "Did you mean 'steps'?"),
    ("update prod --unset=steps --steps={}", 2, "steps cannot be set and unset at once."),
    ("update prod --user -o wide", 3, "The stack 'prod' stands in no file that was looked in"),
    *((f"{verb} prd", 3, "Did you mean 'prod'?") for verb in (
        "delete", "set", "set --project", "describe", "check", "up", "down", "export",
    )),
    ("delete default", 3, "The stack 'default' is built in"),
    ("export default", 3, "The stack 'default' is built in"),
    ("regster new", 2, "Did you mean 'register'?"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "code", "text"), REFUSED, ids=[line for line, _, _ in REFUSED])
def test_what_does_not_fit_is_refused_with_what_to_type(
    penstock: Any, file: Path, line: str, code: int, text: str
) -> None:
    said = penstock("stack", *shlex.split(line))
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("Error: ")
    assert text in said.err
    assert "s3cret" not in said.err
    assert file.read_text() == FILE


def test_all_that_is_wrong_is_told_at_once(penstock: Any, file: Path) -> None:
    said = penstock("stack", "register", "My Stack", "-o", "wid", "-a", "bucket", "-s", "none")
    assert "The stack 'My Stack' has 3 problems:" in said.err


@pytest.mark.parametrize("words", [
    ["register", "new", *TEAM], ["update", "prod", "-o", "wide"], ["delete", "prod"],
    ["set", "prod"], ["set", "prod", "--project"], ["list"], ["get"], ["describe"], ["check"],
    ["export", "prod"], ["up"], ["down"],
], ids=" ".join)  # fmt: skip
def test_a_file_that_is_broken_by_hand_is_never_rewritten(
    penstock: Any, file: Path, words: list[str]
) -> None:
    broken = FILE.replace("  gpu:", "  gpu")
    file.write_text(broken)
    said = penstock("stack", *words)
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("Error: penstock.yaml")
    assert file.read_text() == broken


@pytest.mark.parametrize("words", [
    ["register", "new", *TEAM], ["update", "prod", "-o", "default"], ["delete", "prod"],
    ["set", "prod", "--project"],
], ids=" ".join)  # fmt: skip
def test_a_file_that_cannot_be_written_is_a_configuration_error(
    penstock: Any, file: Path, words: list[str]
) -> None:
    file.chmod(0o444)
    said = penstock("stack", *words)
    assert (said.code, said.out) == (3, "")
    assert "penstock.yaml cannot be written: it is read-only.\nchmod u+w penstock.yaml" in said.err


def test_an_update_leaves_alone_what_it_is_not_given(
    penstock: Any, file: Path, stacks: Any
) -> None:
    said = penstock("stack", "update", "prod", "-a", "default")
    assert said.out == (
        "stack prod: updated (penstock.yaml:10)\n"
        "To undo that: penstock stack update prod --artifact-store=bucket\n"
    )
    assert stacks("prod")["artifact_store"] == "default"
    assert file.read_text() == FILE.replace("artifact_store: bucket", "artifact_store: default")


def test_a_list_is_replaced_as_a_whole(penstock: Any, file: Path, stacks: Any) -> None:
    said = penstock("stack", "update", "prod", "-s", "gpu")
    assert stacks("prod")["step_operators"] == ["gpu"]
    assert said.out.endswith("stack update prod --step-operator=gpu --step-operator=big\n")


def test_the_line_that_undoes_an_update_can_be_typed(
    penstock: Any, typed: Any, file: Path, stacks: Any
) -> None:
    before = stacks("prod")
    said = penstock(
        "stack", "update", "prod", "--unset=step-operator", "--unset=steps", "--unset=secrets",
        "-o", "default",
    )  # fmt: skip
    assert stacks("prod") == {"orchestrator": "default", "artifact_store": "bucket"}
    assert typed(said.out.partition("To undo that: ")[2]).code == 0
    assert stacks("prod") == before


def test_an_update_that_changes_nothing_says_so(penstock: Any, file: Path) -> None:
    said = penstock("stack", "update", "prod", "-o", "wide")
    assert (said.code, said.err) == (0, "It was so already.\n")
    assert file.read_text() == FILE


def test_the_lines_that_bring_back_what_was_deleted_can_be_typed(
    penstock: Any, typed: Any, file: Path, project: Path
) -> None:
    before = _all(project)
    said = penstock("stack", "delete", "prod", "--recursive", "--json").data
    assert said["stack"] == "prod"
    assert list(Registry(Project(project)).stacks()) == ["default"]
    assert [typed(change["undo"]).code for change in said["changes"]] == [0] * 5
    assert _all(project) == before


def _all(project: Path) -> Any:
    registry = Registry(Project(project))
    return registry.stacks(), {(each.category, each.name): each for each in registry.components()}


def test_a_component_that_another_stack_has_stays(penstock: Any, file: Path) -> None:
    penstock("stack", "register", "new", *TEAM)
    said = penstock("stack", "delete", "prod", "--recursive")
    assert "The orchestrator 'wide' stays: the stack 'new' has it." in said.err
    assert "orchestrator wide: deleted" not in said.out
    assert "step operator gpu: deleted" in said.out


@pytest.mark.usefixtures("file")
def test_the_active_stack_may_be_deleted(penstock: Any) -> None:
    penstock("stack", "set", "prod")
    said = penstock("stack", "delete", "prod")
    assert (said.code, said.err) == (0, "Now active: default (penstock.yaml:1).\n")
    assert penstock("stack", "get").out == "default (penstock.yaml:1)\n"


def test_what_is_up_goes_down_before_its_stack_is_deleted(
    penstock: Any, file: Path, project: Path
) -> None:
    assert penstock("stack", "up", "prod").code == 0
    said = penstock("stack", "delete", "prod")
    assert (said.code, file.read_text()) == (3, FILE)
    assert said.err.endswith("To remove that first, type: penstock stack down prod --force\n")
    assert penstock("stack", "down", "prod", "--force").code == 0
    assert penstock("stack", "delete", "prod").code == 0


def test_the_teams_default_is_written_into_the_projects_file(penstock: Any, file: Path) -> None:
    said = penstock("stack", "set", "prod", "--project")
    assert said.out == (
        "stack prod: active (penstock.yaml:1)\nTo undo that: penstock stack set default --project\n"
    )
    assert penstock("stack", "get").out == "prod (penstock.yaml:1)\n"


@pytest.mark.usefixtures("file")
def test_who_has_chosen_something_else_is_told_that_it_stays_active(penstock: Any) -> None:
    penstock("stack", "set", "default")
    said = penstock("stack", "set", "prod", "--project")
    assert said.err == "Here default stays active (penstock stack set, in .penstock/active).\n"


def test_a_choice_is_taken_back(penstock: Any, file: Path) -> None:
    before = FILE.partition("\n")[2]
    file.write_text(before)
    undo = penstock("stack", "set", "prod", "--project").out.splitlines()[-1]
    assert undo == "To undo that: penstock stack set --unset --project"
    penstock("stack", "set", "default")
    assert penstock("stack", "set", "--unset").out == "prod (penstock.yaml:1)\n"
    assert penstock(*undo.split()[4:]).out == (
        "active: prod: deleted (penstock.yaml)\nTo undo that: penstock stack set prod --project\n"
    )
    assert file.read_text() == before


@pytest.mark.parametrize("words", [["set"], ["set", "prod", "--unset"]])
def test_a_choice_is_made_or_taken_back(penstock: Any, words: list[str]) -> None:
    said = penstock("stack", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Error: Give the NAME of a stack, or --unset.")


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("words", [[], ["--project"]])
def test_a_choice_is_told_also_if_the_variable_names_nothing(
    penstock: Any, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "missing")
    said = penstock("stack", "set", "prod", *words)
    assert said.code == 0
    assert "prod" in said.out or "there is no such stack" in said.err
    assert "missing" in said.err


def test_a_teams_default_is_no_stack_of_ones_own(penstock: Any, file: Path) -> None:
    penstock("stack", "register", "mine", "-o", "default", "-a", "default", "--user")
    assert penstock("stack", "set", "mine", "--project").code == 3
    assert file.read_text() == FILE


@pytest.mark.usefixtures("file")
def test_the_variable_that_wins_is_named_by_every_verb_that_chooses(
    penstock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "default")
    text = "Warning: PENSTOCK_STACK=default is set here and wins"
    said = penstock("stack", "register", "new", *TEAM, "--set")
    assert said.err.startswith(text)
    assert said.out.endswith("Active: default (PENSTOCK_STACK)\n")
    assert text[9:] in penstock("stack", "set", "prod", "--json").data["warning"]
    assert penstock("stack", "set", "prod", "--project").err == (
        "Here default stays active (PENSTOCK_STACK).\n"
    )


METADATA = "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\nRequires-Dist: no-such; extra == 'x'\n"
ENTRIES = (
    "[penstock.orchestrators]\nfar = acme_flavors:Far [x]\n\n"
    "[penstock.data_validators]\nstrict = acme_flavors:Strict\n"
)
VALIDATORS = """\
from dataclasses import dataclass
from typing import ClassVar
from penstock.model.component import StackComponent

@dataclass(frozen=True, kw_only=True)
class Strict(StackComponent):
    category: ClassVar[str] = "data-validator"
    flavor: ClassVar[str] = "strict"
"""
WITH_MORE = """\
orchestrators: {far: {flavor: far}, gone: {flavor: gone}}
data_validators: {tight: {flavor: strict}, loose: {flavor: strict}}
stacks:
  away: {orchestrator: far, artifact_store: default}
  lost: {orchestrator: gone, artifact_store: default}
  checked: {orchestrator: default, artifact_store: default, data_validators: [tight]}
"""


@pytest.fixture
def acme(project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A package with a category of its own, and a flavor whose extra is not installed."""
    site = project / "site"
    (site / "acme-1.0.dist-info").mkdir(parents=True)
    (site / "acme-1.0.dist-info/METADATA").write_text(METADATA)
    (site / "acme-1.0.dist-info/entry_points.txt").write_text(ENTRIES)
    (site / "acme_flavors.py").write_text(VALIDATORS)
    (project / "penstock.yaml").write_text(WITH_MORE)
    monkeypatch.syspath_prepend(site)
    yield
    sys.modules.pop("acme_flavors", None)


@pytest.mark.usefixtures("acme")
def test_a_stack_whose_extra_is_missing_is_chosen_with_the_line_that_installs_it(
    penstock: Any,
) -> None:
    said = penstock("stack", "set", "away")
    assert (said.code, said.out) == (0, "away (penstock stack set, in .penstock/active)\n")
    assert said.err == (
        "Warning: The orchestrator flavor 'far' of the package 'acme' needs what is not installed: "
        "no-such.\npip install 'acme[x]'\n"
    )
    assert "pip install" in penstock("stack", "set", "away", "--project").err
    assert "pip install" in penstock("stack", "set", "away", "--json").data["warning"]


@pytest.mark.usefixtures("acme")
def test_a_stack_whose_flavor_nobody_brings_is_chosen_with_a_warning(penstock: Any) -> None:
    said = penstock("stack", "set", "lost")
    assert (said.code, penstock("stack", "get", "--json").data["stack"]) == (0, "lost")
    assert "Warning: penstock.yaml:1:37: No orchestrator flavor named 'gone'." in said.err


@pytest.mark.usefixtures("acme")
def test_categories_that_packages_bring_are_options_as_well(penstock: Any, stacks: Any) -> None:
    words = ["-o", "default", "-a", "default", "--data-validator", "tight"]
    assert penstock("stack", "register", "new", *words, "--data-validator=loose").code == 0
    assert stacks("new")["data_validators"] == ["tight", "loose"]
    undo = penstock("stack", "update", "new", "--data-validator=loose").out
    assert "stack update new --data-validator=tight --data-validator=loose" in undo
    assert penstock("stack", "update", "new", "--unset=data-validator").code == 0
    assert "data_validators" not in stacks("new")


@pytest.mark.usefixtures("acme")
def test_a_component_of_such_a_category_that_is_not_there_is_refused(penstock: Any) -> None:
    said = penstock("stack", "update", "checked", "--data-validator=tigt")
    assert said.code == 3
    assert "There is no data validator 'tigt'" in said.err


@pytest.mark.usefixtures("acme")
def test_the_help_names_categories_that_packages_bring(penstock: Any) -> None:
    assert "--data-validator NAME" in penstock("stack", "register", "--help").out
    assert "--data-validator NAME" in penstock("stack", "update", "-h").out


@pytest.mark.usefixtures("acme")
def test_a_category_that_a_stack_has_something_of_has_a_column(penstock: Any) -> None:
    heading, *rows = penstock("stack", "list").out.splitlines()
    assert "STEP OPERATORS  DATA VALIDATORS  WRITTEN IN" in heading
    assert "EXPERIMENT TRACKERS" not in heading
    assert rows[3].split() == ["checked", "default", "default", "tight", "penstock.yaml:6:3"]
    found = penstock("stack", "list", "--json").data
    assert [each["more"] for each in found] == [{}, {}, {}, {"data-validator": ["tight"]}]


@pytest.mark.usefixtures("acme")
def test_what_packages_bring_is_described_as_well(penstock: Any) -> None:
    said = penstock("stack", "describe", "checked")
    assert "\ndata validator tight\n  flavor:     strict\n" in said.out
    assert penstock("stack", "describe", "checked", "--json").data["more"] == {
        "data-validator": ["tight"]
    }


def test_of_a_stack_that_is_not_active_it_is_said(penstock: Any, file: Path) -> None:
    assert penstock("stack", "describe", "prod").out.startswith(
        "stack:      prod\nactive:     no\n"
    )
    penstock("stack", "set", "prod")
    assert (
        "chosen by:  penstock stack set, in .penstock/active\n"
        in penstock("stack", "describe", "prod").out
    )


@pytest.mark.usefixtures("file")
def test_a_stack_can_be_looked_at_while_the_active_one_does_not_exist(
    penstock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "nowhere")
    assert penstock("stack", "describe", "prod", "--json").data["active"] is False


@pytest.mark.parametrize("verb", stack.VERBS)
def test_the_help_of_the_group_says_of_a_verb_what_the_verb_says_of_itself(verb: str) -> None:
    place, help = stack.VERBS[verb]
    command = named(place)
    assert (command.name, command.get_short_help_str(200)) == (verb, help)
    assert "--json" in {flag for option in command.params for flag in option.opts}


NOT_FOR_A_LIST = [
    "penstock.model.graph", "penstock.stack.changing.changes", "penstock.runtime.run", "pydantic",
    "rich", "filelock", "importlib.metadata",
]  # fmt: skip


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("verb", ["get", "list"])
def test_what_only_looks_loads_nothing_that_writes_or_runs(verb: str) -> None:
    code = (
        f"import sys; from penstock.cli.main import main; main(['stack', {verb!r}]); "
        "print(*[name for name in sys.argv[1:] if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *NOT_FOR_A_LIST], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == ""
