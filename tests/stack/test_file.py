import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.errors import BadConfiguration
from penstock.stack.configuration import Configuration, StackSpec
from penstock.stack.file import read
from penstock.stack.parsing import configuration

GOOD = """\
active: prod
orchestrators:
  kf: {flavor: kubeflow, host: "${env:KFP_HOST}", namespace: ml}
artifact_stores:
  bucket:
    flavor: s3
    path: s3://b/penstock
step_operators:
  gpu: {flavor: oven}
experiment_trackers:  # nothing yet
flavors: {orchestrator: {mine: "my_pkg.orch:Mine"}}
stacks:
  prod: {orchestrator: kf, artifact_store: bucket, step_operators: [gpu],
         steps: {train: {resources: {gpu: 1}, step_operator: gpu, retries: 2}}}
  mixed: {orchestrator: default, artifact_store: bucket}
"""


def complaint(text: str) -> str:
    with pytest.raises(BadConfiguration) as caught:
        configuration(Path("penstock.yaml"), text)
    return str(caught.value)


def test_a_file_is_read_as_plain_data_with_places(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").write_text(GOOD)

    found = read(tmp_path / "penstock.yaml")

    assert (found.active, found.active_where) == ("prod", f"{tmp_path}/penstock.yaml:1")
    assert [(spec.category, spec.name, spec.flavor) for spec in found.components] == [
        ("orchestrator", "kf", "kubeflow"),
        ("artifact-store", "bucket", "s3"),
        ("step-operator", "gpu", "oven"),
    ]
    kf = found.components[0]
    assert kf.options == {"host": "${env:KFP_HOST}", "namespace": "ml"}
    assert kf.where == f"{tmp_path}/penstock.yaml:3:3"
    assert kf.at["host"] == f"{tmp_path}/penstock.yaml:3:32"
    assert found.flavors == {"orchestrator": {"mine": "my_pkg.orch:Mine"}}
    assert found.stacks["mixed"] == StackSpec("mixed", "default", "bucket")
    assert found.stacks["prod"].steps == {
        "train": {"resources": {"gpu": 1}, "step_operator": "gpu", "retries": 2}
    }
    assert found.stacks["prod"].names() == (
        ("orchestrator", "kf"),
        ("artifact-store", "bucket"),
        ("step-operator", "gpu"),
    )


def test_a_file_below_the_working_directory_is_shown_as_one_would_type_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "penstock.yaml").write_text("active: 5\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BadConfiguration, match=r"^penstock.yaml:1:9: "):
        read(tmp_path / "penstock.yaml")


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "---\n...\n", "~", "{}"])
def test_an_empty_file_is_fine(text: str) -> None:
    path = Path("penstock.yaml")

    assert configuration(path, text) == Configuration(path)


def test_headings_may_have_nothing_below_them() -> None:
    configuration(Path("penstock.yaml"), "stacks:\norchestrators:\nflavors:\nactive:\n")


def test_anchors_and_merged_mappings_are_understood() -> None:
    text = """\
orchestrators:
  a: &a {flavor: x, one: 1, two: 2}
  b: {<<: *a, two: 3}
  c: *a
"""
    _, b, c = configuration(Path("penstock.yaml"), text).components

    assert b.options == {"one": 1, "two": 3}
    assert c.options == {"one": 1, "two": 2}


def test_dates_stay_text_and_yes_is_no_boolean() -> None:
    text = "orchestrators: {a: {flavor: x, day: 2026-11-22, on: yes, off: true, n: 0x10}}"
    (spec,) = configuration(Path("penstock.yaml"), text).components

    assert spec.options == {"day": "2026-11-22", "on": "yes", "off": True, "n": 16}


STACK = "stacks: {a: {orchestrator: default, artifact_store: default, %s}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "stacks:\n\ta: {}\n",
            "penstock.yaml:2:1: This line is indented with a tab; YAML takes spaces only.",
        ),
        (
            "orchestrators:\n  a: {flavor: x}\n  a: {flavor: y}\n",
            "penstock.yaml:3:3: The key 'a' is here twice; first at penstock.yaml:2:3.",
        ),
        (
            "orchestators: {}",
            "penstock.yaml:1:1: There is no key 'orchestators' here. Did you mean 'orchestrators'?",
        ),
        (
            "zzz: 1",
            (
                "penstock.yaml:1:1: There is no key 'zzz' here. Keys: 'active', 'orchestrators', "
                "'artifact_stores', 'step_operators', 'experiment_trackers', 'model_deployers', "
                "'flavors', 'stacks'."
            ),
        ),
        (
            STACK % "artifact_stor: x",
            (
                "penstock.yaml:1:62: There is no key 'artifact_stor' here. "
                "Did you mean 'artifact_store'?"
            ),
        ),
        (
            "flavors: {orchestrators: {}}",
            (
                "penstock.yaml:1:11: There is no key 'orchestrators' here. "
                "Did you mean 'orchestrator'?"
            ),
        ),
        (
            "stacks: [a, b]",
            "penstock.yaml:1:9: stacks must be a mapping, {…: …}; this is a list.",
        ),
        ("- a", "penstock.yaml:1:1: This file must be a mapping, {…: …}; this is a list."),
        (
            "orchestrators: {kf: kubeflow}",
            (
                "penstock.yaml:1:21: The orchestrator 'kf' must be a mapping, {flavor: …}; "
                "this is text, 'kubeflow'."
            ),
        ),
        (
            "orchestrators: {kf: {host: x}}",
            "penstock.yaml:1:17: The orchestrator 'kf' needs the key 'flavor'.",
        ),
        (
            "orchestrators: {kf: {flavor: 5}}",
            "penstock.yaml:1:30: flavor must be a name, which is text; this is a number, 5.",
        ),
        (
            "orchestrators: {kf: {flavor: x, name: y}}",
            "penstock.yaml:1:33: The orchestrator 'kf' has its name already: 'kf'.",
        ),
        (
            "active: true",
            "penstock.yaml:1:9: active must be a name, which is text; this is true or false, True.",
        ),
        (
            "orchestrators: {5: {flavor: x}}",
            'penstock.yaml:1:17: A key must be text. Put it in quotes: "5".',
        ),
        (
            "orchestrators: {'a b': {flavor: x}}",
            (
                "penstock.yaml:1:17: orchestrators: 'a b' cannot be a name. A name is 1 to 128 "
                "letters, digits, '_', '-' or '.', and begins with a letter, a digit or '_'. "
                "For example: 'a-b'."
            ),
        ),
        (
            "orchestrators: {Prod: {flavor: x}, prod: {flavor: x}}",
            "penstock.yaml:1:36: orchestrators: the names 'Prod' and 'prod' differ only by case.",
        ),
        (
            "artifact_stores: {Default: {flavor: x}}",
            (
                "penstock.yaml:1:19: artifact_stores: the names 'default' and 'Default' differ "
                "only by case."
            ),
        ),
        (
            "stacks: {default: {orchestrator: default, artifact_store: default}}",
            "penstock.yaml:1:10: stacks: 'default' is built in; choose another name.",
        ),
        (
            (
                "orchestrators: {kf: {flavor: x}}\n"
                "stacks: {a: {orchestrator: kff, artifact_store: default}}"
            ),
            (
                "penstock.yaml:2:28: The stack 'a' names the orchestrator 'kff', which is not in "
                "this file; there are: 'default', 'kf'. Did you mean 'kf'?"
            ),
        ),
        (
            STACK % "step_operators: [gpu]",
            (
                "penstock.yaml:1:79: The stack 'a' names the step operator 'gpu', which is not in "
                "this file; there are: none."
            ),
        ),
        (
            STACK % "step_operators: gpu",
            (
                "penstock.yaml:1:78: The stack 'a': step_operators must be a list, [name, name]; "
                "this is text, 'gpu'."
            ),
        ),
        (
            "stacks: {a: {orchestrator: default}}",
            (
                "penstock.yaml:1:10: The stack 'a' needs the key 'artifact_store'; "
                "write `artifact_store: default` for the built-in one."
            ),
        ),
        (
            STACK % "steps: {train: {retrys: 2}}",
            (
                "penstock.yaml:1:78: The stack 'a', step 'train': There is no step option "
                "'retrys'. Did you mean 'retries'?"
            ),
        ),
        (
            STACK % "steps: {train: {retries: -1}}",
            (
                "penstock.yaml:1:87: The stack 'a', step 'train': The step option retries=-1 does "
                "not fit: a whole number, 0 or more, or Retry(times=3, delay=1) is needed."
            ),
        ),
        (
            STACK % "steps: {train: {resources: {gpus: 1}}}",
            (
                "penstock.yaml:1:90: The stack 'a', step 'train': There is no resource 'gpus'. "
                "Did you mean 'gpu'?"
            ),
        ),
        (
            STACK % "steps: {train: {retries: {times: 2, delays: 5}}}",
            (
                "penstock.yaml:1:98: The stack 'a', step 'train': There is no key of retries "
                "'delays'. Did you mean 'delay'?"
            ),
        ),
        (
            STACK % "steps: {train: {on_failure: notify}}",
            (
                "penstock.yaml:1:78: The stack 'a', step 'train': There is no step option "
                "'on_failure'. There are 'cache', 'cache_for', 'refresh', 'settings', 'retries', "
                "'timeout', 'resources', 'step_operator', 'secrets', 'cache_env', 'version'."
            ),
        ),
        (  # complained of once, and not again as an option
            STACK % "steps: {train: {timeout: !!int x}}",
            "penstock.yaml:1:87: 'x' is not of the YAML type 'int'.",
        ),
        (
            STACK % "steps: {train: {step_operator: gpu}}",
            (
                "penstock.yaml:1:93: The stack 'a', step 'train': 'gpu' is not among the stack's "
                "step operators; there are: none."
            ),
        ),
        (
            "flavors: {orchestrator: {mine: my_pkg}}",
            "penstock.yaml:1:32: text, 'my_pkg' is no class; write \"package.module:Class\".",
        ),
        (
            'flavors: {orchestrator: {local: "a:B"}}',
            "penstock.yaml:1:26: The flavor 'local' is built in; choose another name.",
        ),
        (
            "active: a\n---\nactive: b\n",
            "penstock.yaml:2:1: This is not YAML: a second document begins here.",
        ),
        ("active: *a", "penstock.yaml:1:9: This is not YAML: found undefined alias 'a'."),
        ("active: &a [*a]", "penstock.yaml:1:9: This contains itself, through an alias."),
        (
            "active: !!python/object/apply:os.system [ls]",
            (
                "penstock.yaml:1:9: The YAML tag tag:yaml.org,2002:python/object/apply:os.system "
                "is not allowed: only plain data is."
            ),
        ),
        ("active: !!int x", "penstock.yaml:1:9: 'x' is not of the YAML type 'int'."),
        ("[" * 100_000, "penstock.yaml:1:1: This is nested too deeply."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    assert complaint(text) == said


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 12):
        lines.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]")

    assert "Aliases add more than 10,000 values to this file." in complaint("\n".join(lines))


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
active: [prod]
orchestrator:
  kf: {flavor: kubeflow}
artifact_stores:
  bucket: {path: s3://b}
  Bucket: {flavor: s3}
stacks:
  prod: {orchestrator: kf, artifact_store: buckett, steps: {train: {gpu: 1}}}
"""
    assert complaint(text) == (
        "penstock.yaml has 7 problems:\n"
        "  penstock.yaml:1:9: active must be a name, which is text; this is a list.\n"
        "  penstock.yaml:2:1: There is no key 'orchestrator' here. Did you mean 'orchestrators'?\n"
        "  penstock.yaml:5:3: The artifact store 'bucket' needs the key 'flavor'.\n"
        "  penstock.yaml:6:3: artifact_stores: the names 'bucket' and 'Bucket' differ only by "
        "case.\n"
        "  penstock.yaml:8:24: The stack 'prod' names the orchestrator 'kf', which is not in this "
        "file; there are: 'default'.\n"
        "  penstock.yaml:8:44: The stack 'prod' names the artifact store 'buckett', which is not "
        "in this file; there are: 'default', 'bucket'. Did you mean 'bucket'?\n"
        "  penstock.yaml:8:69: The stack 'prod', step 'train': There is no step option 'gpu'. "
        "There are 'cache', 'cache_for', 'refresh', 'settings', 'retries', 'timeout', "
        "'resources', 'step_operator', 'secrets', 'cache_env', 'version'."
    )


def test_all_tabs_are_told_at_once() -> None:
    assert complaint("stacks:\n\ta: {}\n  \tb: {}\n").count("indented with a tab") == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"active: a\n# gr\xfcn\n", ":2:5: This file is not UTF-8; save it in that encoding."),
        (b"#" * (1 << 20) + b"\n", ":1:1: This file has 1,048,577 bytes; at most 1 MiB is read."),
        (b"\x00", ":1:1: This is not YAML: "),
    ],
)
def test_what_is_no_text_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "penstock.yaml").write_bytes(data)

    with pytest.raises(BadConfiguration) as caught:
        read(tmp_path / "penstock.yaml")

    assert str(caught.value).startswith(f"{tmp_path}/penstock.yaml{said}")


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").write_bytes(b"\xef\xbb\xbfactive: a\n")

    assert read(tmp_path / "penstock.yaml").active == "a"


def test_a_folder_in_place_of_the_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r":1:1: This must be a file, and is a folder\.$"):
        read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").touch(0o000)

    with pytest.raises(BadConfiguration, match="cannot be read: Permission denied"):
        read(tmp_path / "penstock.yaml")


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "penstock.yaml") == Configuration(tmp_path / "penstock.yaml")


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "penstock.yaml"
    path.write_text(GOOD)
    first = read(path)

    assert read(path) is first
    path.write_text(GOOD + "# longer\n")
    assert read(path) is not first


pieces = st.sampled_from(
    [*GOOD.split(), "\n", "  ", "\t", "- ", "*a", "&a ", "!!set ", "<<: ", "? ", "'", "{", "]", "|",
     ">", "%", "---\n", "...\n", "\x85", "0o9", "1e5", "!!float ", "!!binary ", "!local ", "~", "@"]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The good file with pieces cut out and put in."""
    text = GOOD
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 20)))
        text = text[:start] + draw(pieces) + text[end:]
    return text


@settings(deadline=None)  # the parser is slow
@given(st.text() | mutated() | st.lists(pieces).map(" ".join))
@example("%YAML 1.1\n---\nyes: on\n")
@example("%YAML 9.9\n---\na: b\n")
@example("a: &x 1\nb: &x 2\n")
@example("? [a]\n: b\n")
@example("a: !!float .\n")
@example("a: " + "9" * 5000)
@example("!!map [a]")
@example("!!seq {a: b}")
@example("!!str [a]")
@example("<<: 5")
@example("<<: [{active: a}, *b]")
def test_any_text_is_a_configuration_or_a_complaint(text: str) -> None:
    said = ""
    try:
        configuration(Path("penstock.yaml"), text)
    except BadConfiguration as error:
        said = str(error)
    assert said == "" or said.startswith("penstock.yaml")
