"""The verbs of components: the same for every category."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from penstock.model.component import CATEGORIES

YAML = """\
active: team
# where it lies
artifact_stores:
  bucket: {flavor: local, path: store, signing_key: s3cret}   # ours
  spare: {flavor: local, path: other}
step_operators:
  gpu: {flavor: subprocess, env: {A: "1"}}
  big: {flavor: subprocess}
stacks:
  team: {orchestrator: default, artifact_store: bucket, step_operators: [gpu, big]}
  second: {orchestrator: default, artifact_store: bucket}
"""


@pytest.fixture
def file(project: Path) -> Path:
    path = project / "penstock.yaml"
    path.write_text(YAML)
    return path


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("verb", [
    "list", "register", "describe", "update", "delete", "up", "down", "flavor",
])  # fmt: skip
def test_every_category_has_every_verb(category: str, verb: str, penstock: Any) -> None:
    said = penstock(category, verb, "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Usage: penstock {category} {verb} ")


def test_only_artifact_stores_are_measured(penstock: Any) -> None:
    assert penstock("artifact-store", "bench", "--help").code == 0
    assert penstock("orchestrator", "bench").code == 2


def test_a_misspelt_category_is_recognized(penstock: Any) -> None:
    assert "Did you mean 'artifact-store'?" in penstock("artifact-stor", "list").err


def test_a_list_says_who_uses_what_and_marks_the_active_ones(penstock: Any, file: Path) -> None:
    said = penstock("artifact-store", "list")
    assert said.out.splitlines() == [
        "   NAME     FLAVOR  USED BY       WRITTEN IN",
        "   default  local   default       built in",
        "*  bucket   local   team, second  penstock.yaml:4:3",
        "   spare    local                 penstock.yaml:5:3",
    ]
    assert said.err == "* in the active stack: team (penstock.yaml:1)\n"


def test_a_list_is_data_as_well(penstock: Any, file: Path) -> None:
    assert penstock("step-operator", "list", "--json").data[0] == {
        "category": "step-operator", "name": "gpu", "flavor": "subprocess", "used_by": ["team"],
        "active": True, "written_in": "penstock.yaml:7:3",
    }  # fmt: skip


def test_a_list_is_printed_where_no_stack_is_active(
    penstock: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "prod")
    said = penstock("orchestrator", "list")
    assert (said.code, said.out.splitlines()[1][:12]) == (0, "  default  l")
    assert said.err.startswith("Warning: There is no stack 'prod' (PENSTOCK_STACK).")


def test_a_category_without_a_flavor_says_how_to_add_one(penstock: Any) -> None:
    for words in (["list"], ["flavor", "list"]):
        said = penstock("model-deployer", *words)
        assert (said.code, said.out) == (0, "")
        assert said.err == (
            "No model deployer flavor is installed: a package brings one, or you write one and "
            "type: penstock model-deployer flavor register MODULE:CLASS\n"
        )
        assert penstock("model-deployer", *words, "--json").data == []
    said = penstock("model-deployer", "register", "x")
    assert (said.code, said.err[:42]) == (3, "Error: No model deployer flavor is install")


def test_an_empty_list_says_how_to_register_one(penstock: Any) -> None:
    assert penstock("step-operator", "list").err == (
        "No step operators. To register one: penstock step-operator register NAME --flavor=FLAVOR\n"
    )


def test_describe_shows_the_active_stacks_with_secrets_masked(penstock: Any, file: Path) -> None:
    assert penstock("artifact-store", "describe").out == (
        "artifact store bucket\n"
        "  flavor:      local\n"
        "  written in:  penstock.yaml:4:3\n"
        "  used by:     team, second\n"
        "  path:        store\n"
        "  signing_key: ***\n"
    )


def test_describe_of_a_category_of_several_shows_all_of_the_active_stack(
    penstock: Any, file: Path
) -> None:
    blocks = penstock("step-operator", "describe").out.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["step operator gpu", "step operator big"]
    assert '  env:        {A: "1"}' in blocks[0].splitlines()


def test_describe_of_none_says_so(penstock: Any) -> None:
    said = penstock("step-operator", "describe")
    assert (said.code, said.out, said.err) == (0, "", "The stack 'default' has no step operator.\n")


def test_a_description_is_data_as_well(penstock: Any, file: Path) -> None:
    assert penstock("artifact-store", "describe", "bucket", "--json").data == [
        {
            "category": "artifact-store", "name": "bucket", "flavor": "local",
            "options": {"path": "store", "signing_key": "***"}, "used_by": ["team", "second"],
            "written_in": "penstock.yaml:4:3",
        }
    ]  # fmt: skip


def test_registering_says_where_it_is_written(penstock: Any, project: Path) -> None:
    said = penstock("artifact-store", "register", "bucket", "--flavor=local", "--path=data")
    assert (said.code, said.out, said.err) == (
        0, "artifact store bucket: registered (penstock.yaml:2)\n", "",
    )  # fmt: skip
    assert (project / "penstock.yaml").read_text() == (
        "artifact_stores:\n  bucket:\n    flavor: local\n    path: data\n"
    )


def test_what_is_registered_is_of_the_right_type(penstock: Any) -> None:
    words = "register big -f local --max-workers 4 --failure=finish --resources={cpu:\\ 2}"
    assert penstock("orchestrator", *shlex.split(words)).code == 0
    assert penstock("orchestrator", "describe", "big", "--json").data[0]["options"] == {
        "max_workers": 4, "failure": "finish", "resources": {"cpu": 2},
    }  # fmt: skip


def test_registering_tells_all_that_is_wrong_and_writes_nothing(
    penstock: Any, project: Path
) -> None:
    words = "register b --flavor=s3 --pth=x --compression=lz --concurrency=many --key=s3cret"
    said = penstock("artifact-store", *words.split())
    assert (said.code, said.out) == (3, "")
    head, *lines = said.err.splitlines()
    assert head == "Error: The artifact store 'b' has 5 problems:"
    who = "  the command line: artifact store 'b'"
    assert lines[:6] == [
        f"{who}, option 'pth': there is no such option. Did you mean 'path'?",
        f"{who} needs the option 'path'.",
        "    --path=…, text. The bucket and a folder in it, for example s3://bucket/penstock.",
        f"{who}, option 'compression': 'lz' does not fit: one of 'none', 'zstd' is needed.",
        f"{who}, option 'concurrency': 'many' does not fit: a whole number is needed.",
        f"{who}, option 'key': a secret is not written into a file.",
    ]
    assert "s3cret" not in said.err
    assert (project / "penstock.yaml").read_text() == ""


@pytest.mark.parametrize(("words", "code", "named"), [
    ("register", 2, ["NAME", "--flavor"]),
    ("register bucket", 2, ["--flavor"]),
    ("register --flavor=s3 --path=s3://bucket/x", 2, ["NAME"]),
    ("register bucket --flavor=s3", 2, ["--path"]),
    ("register bucket --path=x", 2, ["--flavor"]),
    ("register bucket --flavor=locl --path=x", 3, ["Did you mean 'local'?"]),
    ("register default --flavor=local", 3, ["'default' is built in"]),
    ("register Bad/Name --flavor=local", 3, ["Take 'bad-name'"]),
    ("register bucket twice --flavor=local", 2, ["'twice' is neither a NAME nor an option."]),
    ("register bucket --flavor=local --path", 2, ["--path needs a value, which is text"]),
    ("register bucket --flavour=local", 2, ["no option --flavour. Did you mean '--flavor'?"]),
    ("register bucket --flavor=local --usr", 2, ["no option --usr. Did you mean '--user'?"]),
    ("update", 2, ["NAME"]),
    ("update default", 2, ["nothing to change"]),
    ("update default --path=x", 3, ["'default' is built in"]),
    ("update defalt --path=x", 3, ["Did you mean 'default'?"]),
    ("delete", 2, ["NAME"]),
    ("delete default", 3, ["'default' is built in"]),
    ("delete defalt", 3, ["Did you mean 'default'?"]),
    ("describe defalt", 3, ["Did you mean 'default'?"]),
    ("up defalt", 3, ["Did you mean 'default'?"]),
    ("down defalt --force", 3, ["Did you mean 'default'?"]),
])  # fmt: skip
def test_what_is_wrong_or_missing_is_named(
    words: str, code: int, named: list[str], penstock: Any, project: Path
) -> None:
    said = penstock("artifact-store", *words.split())
    assert (said.code, said.out) == (code, "")
    assert [text for text in named if text not in said.err] == []
    assert (project / "penstock.yaml").read_text() == ""


@pytest.mark.parametrize(("words", "said"), [
    ("bucket", ["--flavor=…", "is taken: penstock.yaml:4:3."]),
    ("bucket --flavor=s3", ["--path=…", "is taken: penstock.yaml:4:3."]),
    ("--flavor=s3 --pth=x", ["NAME", "--path=…", "'pth': there is no such option."]),
    ("x --flavor=s3 --pth=x -i", ["--path=…", "'pth': there is no such option."]),
    ("x --flavor=local --pth=x -i", ["'pth': there is no such option.", "Leave -i out"]),
])  # fmt: skip
def test_what_is_wrong_is_told_beside_the_flags_that_are_missing(
    words: str, said: list[str], penstock: Any, file: Path
) -> None:
    err = penstock("artifact-store", "register", *words.split()).err
    assert [text for text in said if text not in err] == []
    assert err.count("'path'") <= 1


def test_a_taken_name_says_where_it_is(penstock: Any, file: Path) -> None:
    said = penstock("artifact-store", "register", "bucket", "--flavor=local")
    assert said.code == 3
    assert "is taken: penstock.yaml:4:3." in said.err


def test_an_option_after_two_dashes_is_the_flavors(penstock: Any) -> None:
    said = penstock("artifact-store", "register", "x", "-f", "local", "--", "--user=me")
    assert "option 'user': there is no such option" in said.err


def test_updating_keeps_what_is_not_named(penstock: Any, file: Path) -> None:
    said = penstock("artifact-store", "update", "spare", "--path=third", "--compression", "zstd")
    assert said.out.splitlines() == [
        "artifact store spare: updated (penstock.yaml:5)",
        "To undo that: penstock artifact-store update spare --path=other --unset=compression",
    ]
    after = YAML.replace("path: other}", "path: third, compression: zstd}")
    assert file.read_text() == after


def test_every_line_that_undoes_can_be_typed(penstock: Any, file: Path) -> None:
    def again(*words: str) -> None:
        line = penstock(*words).out.splitlines()[-1].removeprefix("To undo that: penstock ")
        said = penstock(*shlex.split(line))
        assert said.code == 0, said.err

    again("step-operator", "update", "gpu", "--env={A: '2', B: x}")
    assert file.read_text() == YAML
    again("artifact-store", "delete", "spare")
    assert penstock("artifact-store", "describe", "spare", "--json").data[0]["options"] == {
        "path": "other"
    }


def test_unset_takes_an_option_away(penstock: Any, file: Path) -> None:
    assert penstock("artifact-store", "update", "bucket", "--unset=signing-key").code == 0
    assert "  bucket: {flavor: local, path: store}   # ours\n" in file.read_text()


@pytest.mark.parametrize("word", ["--pth=x", "--unset=pth"])
def test_what_is_misspelt_in_an_update_is_named(word: str, penstock: Any, file: Path) -> None:
    said = penstock("artifact-store", "update", "spare", word)
    assert (said.code, "Did you mean 'path'?" in said.err) == (3, True)
    assert file.read_text() == YAML


def test_a_component_keeps_its_flavor(penstock: Any, file: Path) -> None:
    said = penstock("artifact-store", "update", "spare", "--flavor=s3")
    assert (said.code, "'spare' keeps its flavor" in said.err) == (3, True)


def test_what_is_in_use_is_not_deleted(penstock: Any, file: Path) -> None:
    said = penstock("artifact-store", "delete", "bucket")
    assert said.code == 3
    assert said.err == (
        "Error: The artifact store 'bucket' is in use: the stacks 'team', 'second' have it.\n"
        "To give that one another, type: penstock stack update team --artifact-store=NAME\n"
    )
    assert file.read_text() == YAML


def test_changes_are_data_as_well(penstock: Any, file: Path) -> None:
    (change,) = penstock("artifact-store", "delete", "spare", "--json").data["changes"]
    assert change == {
        "what": "artifact store spare",
        "how": "deleted",
        "written_in": "penstock.yaml",
        "undo": "penstock artifact-store register spare --flavor=local --path=other",
        "remarks": [],
    }


def test_ones_own_file_is_written_when_that_is_said(
    penstock: Any, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    own = tmp_path / "config" / "penstock" / "penstock.yaml"
    said = penstock("artifact-store", "register", "mine", "-f", "local", "--path=/data", "--user")
    assert said.out == f"artifact store mine: registered ({own.relative_to(tmp_path)}:3)\n"
    assert penstock("artifact-store", "update", "mine", "--path=/d", "--user").code == 0
    assert "path: /d" in own.read_text()
    assert penstock("artifact-store", "delete", "spare", "--user").code == 3
    assert penstock("artifact-store", "delete", "mine", "--user").code == 0
    assert file.read_text() == YAML


BROKEN = "artifact_stores:\n  bucket: {flavor: local, pth: x\nstacks:\n"


@pytest.mark.parametrize("words", [
    "list", "describe", "register x --flavor=local", "update x --path=y", "delete x", "up",
    "down --force", "flavor list", "flavor describe local", "flavor delete x",
])  # fmt: skip
def test_a_broken_file_is_told_with_its_place_and_left_as_it_is(
    words: str, penstock: Any, project: Path
) -> None:
    (project / "penstock.yaml").write_text(BROKEN)
    said = penstock("artifact-store", *words.split())
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("Error: penstock.yaml:2:11: This is not YAML: ")
    assert (project / "penstock.yaml").read_text() == BROKEN


def test_a_folder_in_place_of_the_file_is_one_clear_error(penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").unlink()
    (project / "penstock.yaml").mkdir()
    said = penstock("artifact-store", "register", "x", "--flavor=local")
    assert (said.code, said.out, len(said.err.splitlines())) == (3, "", 1)


def test_the_places_of_all_of_the_active_stack_are_made(penstock: Any, file: Path) -> None:
    assert penstock("step-operator", "up").out.splitlines() == [
        "step operator gpu: needs no place",
        "step operator big: needs no place",
    ]
    assert penstock("artifact-store", "up").out == (
        f"artifact store bucket: made the folder {file.parent / 'store'}\n"
    )
    assert penstock("artifact-store", "down", "bucket", "--force").out == (
        f"artifact store bucket: removed the folder {file.parent / 'store'}\n"
    )


def test_what_only_a_file_has_can_be_looked_at_and_deleted(penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").write_text(
        'flavors: {alerter: {bell: "nowhere:Bell"}}\n'
        "alerters: {loud: {flavor: bell}, other: {flavor: bell}}\n"
    )
    assert penstock("alerter", "list").out.splitlines()[1].split() == [
        "loud", "bell", "penstock.yaml:2:12",
    ]  # fmt: skip
    assert penstock("alerter", "delete", "loud").code == 0
    assert penstock("alertr", "list").code == 2


def process(project: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Another process, its stdin closed."""
    return subprocess.run(
        [sys.executable, "-m", "penstock", *words],
        cwd=project,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_on_a_narrow_terminal_nothing_is_cut_and_the_mark_stands_before_the_name(
    file: Path,
) -> None:
    child = pexpect.spawn(
        sys.executable, ["-m", "penstock", "artifact-store", "list"], cwd=str(file.parent),
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"}, encoding="utf-8",
        dimensions=(40, 40), timeout=60,
    )  # fmt: skip
    block = child.read().replace("\r\n", "\n").split("\n\n")[1]
    assert block.splitlines() == [
        "NAME:       * bucket",
        "FLAVOR:     local",
        "USED BY:    team, second",
        "WRITTEN IN: penstock.yaml:4:3",
    ]


def test_where_the_locale_has_no_such_letters_they_are_spelled_otherwise(project: Path) -> None:
    words = ("artifact-store", "flavor", "describe", "s3")
    done = process(project, *words, LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith("--flavor=s3 --path=...")


def test_listing_flavors_imports_nothing_heavy(project: Path) -> None:
    code = (
        "import sys; from penstock.cli.main import main; code = main(sys.argv[1].split());"
        "print(code, sorted(set(sys.argv[2].split()) & set(sys.modules)))"
    )
    heavy = "pydantic networkx fsspec numpy rich ruamel cloudpickle asyncio penstock.stack.stack"
    for words in ("flavor list", "orchestrator flavor list"):
        done = subprocess.run(
            [sys.executable, "-c", code, words, heavy],
            cwd=project, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1] == "0 []"


def test_a_stack_without_a_component_of_the_category_has_nothing_to_put_up(penstock: Any) -> None:
    said = penstock("experiment-tracker", "up")
    assert (said.code, said.out) == (0, "")
    assert said.err == "The stack 'default' has no experiment tracker.\n"


def test_an_option_that_nobody_has_hides_nothing_else_that_is_wrong(penstock: Any) -> None:
    said = penstock("orchestrator", "register", "o", "--flavor=local", "--max_workers=x", "--foo=1")
    assert said.code == 3
    assert "option 'foo'" in said.err
    assert "option 'max_workers'" in said.err


def test_utf_8_is_read_also_where_the_locale_has_none(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").touch()
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code = "import sys; from penstock.cli.main import main; sys.exit(main())"
    words = ["artifact-store", "register", "b", "--flavor=local", "--path=über"]
    subprocess.run(
        [sys.executable, "-c", code, *words], env=os.environ | locale, cwd=tmp_path, check=True
    )
    assert 'path: "über"' in (tmp_path / "penstock.yaml").read_text("utf-8")


def test_a_flavor_is_described_without_its_category(penstock: Any) -> None:
    said = penstock("flavor", "describe", "local")
    assert said.code == 0
    assert "orchestrator flavor local\n" in said.out
    assert "\nartifact store flavor local\n" in said.out
    both = json.loads(penstock("flavor", "describe", "local", "--json").out)
    assert [each["category"] for each in both] == ["orchestrator", "artifact-store"]


def test_a_flavor_that_is_in_no_category_is_not_described(penstock: Any) -> None:
    said = penstock("flavor", "describe", "loca")
    assert said.code == 3
    assert "No flavor of any category is named 'loca'" in said.err
    assert "Did you mean 'local'?" in said.err
