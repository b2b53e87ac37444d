"""A secret, set in every way that a user might, is nowhere in what is written or sent.

Each way is either refused with a message, or carried out by kfp; then all that exists is looked
through: the compiled text, the objects in the bucket, archives and what is compressed in them, and
what the pods and the commands have said. What a step returns is the one exception: it is stored as
it is, and the page on secrets says so.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus

import pytest
import yaml
from checkout import OURS, STACKS, Checkout
from engine import Cluster
from leaks import forms, leaks
from servers import Server

CANARY: Final = 'c4náry "w0+rd"/7f3a9\\k=%41&'

FLOW: Final = '''\
import logging
import os
import warnings

from penstock import pipeline, step


@step({options})
def whisper(word: str) -> int:
    """Says what it must not say, in every way but one."""
    secret = os.environ["DB_URL"]
    print("the secret is", secret, [secret], {{"of": secret}})
    print("the bucket's is", os.environ["S3_SECRET"], "and ours is", os.environ["TEAM_KEY"])
    logging.getLogger("mine").warning("the secret is %s", secret)
    os.write(2, f"below Python: {{secret}}\\n".encode())
    return len(secret)


@step(secrets=["DB_URL"])
def trip(length: int) -> int:
    raise ValueError(f"cannot reach {{os.environ['DB_URL']}}")


def tell(what: object) -> None:
    print("a hook says", os.environ["CANARY"], flush=True)
    os.write(2, f"and says {{os.environ['CANARY']}}\\n".encode())
    raise RuntimeError(f"a hook cannot reach {{os.environ['CANARY']}}")


TOKEN = os.environ["CANARY"]


@step(on_start=tell, on_success=tell)
def murmur(length: int, token: str = "") -> int:
    """Asks for no secret: what it says has come with the pod."""
    print("the pod's is", os.environ["CANARY"], TOKEN)
    return length


@pipeline(on_start=tell, on_failure=tell{pipeline})
def talking(word: str = "hush") -> int:
    return trip(murmur(whisper(word)))
'''

KEPT_OUT: Final = (".env", ".env.local", ".netrc", "id_rsa", "server.key", ".aws/credentials")

BASE64: Final = b64encode(CANARY.encode()).decode()

URL: Final = f"https://me:{quote_plus(CANARY)}@our.example"

ASKED: Final = """\
  asked:
    orchestrator: kf
    artifact_store: bucket
    secrets: {{DB_URL: "${{env:CANARY}}"}}
"""
"""A stack that says where the secret is, as it should be said."""


@dataclass(frozen=True)
class Way:
    """One way to set a secret."""

    refused: str = ""
    """What compiling says of it; nothing if it is carried out."""
    files: dict[str, str] = field(default_factory=dict)
    options: str = 'secrets=["DB_URL"]'
    pipeline: str = ""
    more: Callable[[dict[str, object]], object] = lambda _: None
    """What is changed in `penstock.yaml`."""
    flags: tuple[str, ...] = ()


def settings(**given: object) -> str:
    return f"settings={ {'kubeflow': given}!r}"


def put(value: object, *way: str) -> Callable[[dict[str, object]], object]:
    """Write something into `penstock.yaml`."""

    def change(written: dict[str, object]) -> None:
        place: dict[str, object] = written
        for name in way[:-1]:
            place = place.setdefault(name, {})  # type: ignore[assignment]
        place[way[-1]] = value

    return change


EVERYWHERE: Final = {"cache", "environments", "jobs", "objects", "runs", "store.json"}
"""What lies in a bucket after a run."""

HOOKS: Final = 4
"""Times that hooks are told something: of `murmur` and of the run, begun and ended."""

IN_STACK: Final = ("stacks", "asked", "steps")

WAYS: Final = {
    "as it should be": Way(),
    "in files that are known to have secrets": Way(files=dict.fromkeys(KEPT_OUT, CANARY)),
    "in a file of source": Way("settings.py:1", {"settings.py": f"WORD = {CANARY!r}\n"}),
    "in a file of data": Way("data.txt:1", {"data.txt": f"the word is {CANARY}\n"}),
    "in a file of JSON": Way("data.json:1", {"data.json": json.dumps({"word": CANARY})}),
    "in an address in a file": Way("place.txt:1", {"place.txt": URL}),
    "in a file as base64": Way("of.yaml:1", {"of.yaml": f"k: {BASE64}"}),
    "in what git ignores": Way(files={".gitignore": "local.txt\n", "local.txt": CANARY}),
    "in a stack that is not used": Way(
        "penstock.yaml", more=put({"flavor": "kubeflow", "token": CANARY}, "orchestrators", "other")
    ),
    "in the orchestrator": Way(
        "a secret is written out", more=put(CANARY, "orchestrators", "kf", "token")
    ),
    "in the artifact store": Way(
        "a secret is written out", more=put(CANARY, "artifact_stores", "bucket", "signing_key")
    ),
    "in the address of the host": Way(
        "host", more=put(URL, "orchestrators", "kf", "host")
    ),
    "in the secrets of the stack": Way(
        "a secret is written out", more=put(CANARY, "stacks", "asked", "secrets", "DB_URL")
    ),
    "in the settings of all pods": Way(
        "PASSWORD", more=put({"PASSWORD": CANARY}, "orchestrators", "kf", "defaults", "env")
    ),
    "in the settings of a step in the stack": Way(
        "whisper",
        more=put({"WORD": CANARY}, *IN_STACK, "whisper", "settings", "kubeflow", "env"),
    ),
    "in a variable that is named like a secret": Way(
        "API_TOKEN", options=f'secrets=["DB_URL"], {settings(env={"API_TOKEN": CANARY})}'
    ),
    "in a variable of another name": Way(
        "whisper", options=f'secrets=["DB_URL"], {settings(env={"GREETING": f"so {CANARY}"})}'
    ),
    "in place of the name of a secret": Way(
        "secret_env", options=f'secrets=["DB_URL"], {settings(secret_env={"DB_URL": CANARY})}'
    ),
    "in an annotation of a pipeline": Way(
        "annotations", pipeline=", " + settings(annotations={"note": CANARY})
    ),
    "in an annotation, from the environment": Way(
        "holds the secret",
        options='secrets=["DB_URL"], '
        'settings={"kubeflow": {"annotations": {"note": os.environ["CANARY"]}}}',
    ),
    "in a requirement": Way(
        "requirements",
        pipeline=", " + settings(requirements=[f"mine @ {URL}/mine.whl"]),
    ),
    "as a parameter": Way("parameter", flags=("--word", CANARY)),
    "as the default of a parameter": Way(
        "parameter", files={"flow.py": FLOW.replace('"hush"', repr(CANARY))}
    ),
}  # fmt: skip


@pytest.fixture
def checkout(cluster: Cluster, moto: Server, tmp_path: Path) -> Checkout:
    """The secret is in this machine's environment and in a secret of the cluster."""
    checkout = Checkout(tmp_path / "ours", cluster, moto, moto.bucket(), stacks=STACKS + ASKED)
    checkout.variables |= {"CANARY": CANARY, "PENSTOCK_STACK": "asked"}
    cluster.secrets["database"] = {"url": CANARY}
    return checkout


@pytest.mark.parametrize("way", WAYS.values(), ids=[name.replace(" ", "-") for name in WAYS])
def test_a_secret_leaks_nowhere(checkout: Checkout, way: Way, tmp_path: Path) -> None:
    write(checkout, way)
    if ".gitignore" in way.files:
        assert checkout.typed("git", "init").returncode == 0
    file = tmp_path / "out.yaml"
    line = ("penstock", "pipeline", "compile", "flow.py:talking", "-o", str(file), *way.flags)
    done = checkout.typed(*line, stack="asked")
    found = {"what was said": (done.stdout + done.stderr).encode()}

    if way.refused:
        assert done.returncode not in (0, 1), done.stderr
        assert way.refused in done.stderr
        assert "Traceback" not in done.stderr
        assert not file.exists()
        assert checkout.objects().keys() <= {"store.json"}
    else:
        assert done.returncode == 0, done.stderr
        text = file.read_text()
        carried = checkout.cluster.carry_out(text)
        assert {key.split("/")[0] for key in checkout.objects()} >= EVERYWHERE
        assert carried.calls == ["--end", "murmur", "trip", "whisper"], carried.said
        assert carried.said.count("a hook says ***\n") == HOOKS
        assert carried.said.count("a hook cannot reach ***") == HOOKS
        parsed = json.dumps([*yaml.safe_load_all(text)], ensure_ascii=False)
        found |= {"the pipeline": text.encode(), "the pipeline as data": parsed.encode()}
        found |= {"what the pods said": carried.said.encode()}
        shown = checkout.typed("penstock", "run", "show", "last", stack="asked")
        logs = checkout.typed("penstock", "run", "logs", "last", stack="asked")
        assert "cannot reach ***" in shown.stdout
        assert "the secret is ***" in logs.stdout
        found |= {"run show": shown.stdout.encode(), "run logs": logs.stdout.encode()}

    found |= checkout.objects()
    secrets = [CANARY, OURS["S3_SECRET"], OURS["TEAM_KEY"]]
    leaked = [leaks(each, name, data) for each in secrets for name, data in found.items()]
    assert [said for each in leaked for said in each] == []


NOT_ASKED: Final = """\
  asked: {{orchestrator: kf, artifact_store: bucket}}
"""
"""A stack that knows of no secret: only the settings of pods do."""

GIVEN: Final = {
    "the stack": ("", {"CANARY": "database/url"}),
    "the pipeline": (settings(secret_env={"CANARY": "database/url"}), {}),
    "nobody": ("", {}),
}

QUIET: Final = """\
import os

from penstock import pipeline, step

TOKEN = os.environ["CANARY"]


@step({options})
def whisper(word: str) -> int:
    print("the pod's is", TOKEN, os.environ["CANARY"])
    raise ValueError("cannot reach " + os.environ["CANARY"])


@pipeline({pipeline})
def talking(word: str = "hush") -> int:
    return whisper(word)
"""
"""No step asks for a secret."""

OPEN: Final = {
    "a setting": (
        'settings={"kubeflow": {"env": {"WORD": os.environ["CANARY"]}}}', {}, (), "holds the secret"
    ),
    "a file": ("", {"place.txt": f"- {CANARY}"}, (), "place.txt:1 has the value of the secret"),
    "a parameter": ("", {}, ("--word", CANARY), "Parameter 'word'"),
}  # fmt: skip


@pytest.fixture
def knowing(cluster: Cluster, moto: Server, tmp_path: Path) -> Checkout:
    """Nobody but the settings of the pods says that the variable has a secret."""
    checkout = Checkout(tmp_path / "ours", cluster, moto, moto.bucket(), stacks=STACKS + NOT_ASKED)
    checkout.variables |= {"CANARY": CANARY, "PENSTOCK_STACK": "asked"}
    cluster.secrets["database"] = {"url": CANARY}
    return checkout


def write_quiet(checkout: Checkout, giver: str, options: str = "") -> None:
    pipeline, defaults = GIVEN[giver]
    text = QUIET.format(options=options, pipeline=pipeline)
    (checkout.folder / "flow.py").write_text(text)
    stacks = checkout.folder / "penstock.yaml"
    written = yaml.safe_load(stacks.read_text())
    written["orchestrators"]["kf"]["defaults"]["secret_env"] |= defaults
    stacks.write_text(yaml.safe_dump(written, allow_unicode=True))


@pytest.mark.parametrize("giver", ["the stack", "the pipeline"])
def test_a_secret_of_the_cluster_leaks_nowhere(knowing: Checkout, giver: str) -> None:
    write_quiet(knowing, giver)
    text = knowing.compiled("flow.py:talking")
    carried = knowing.cluster.carry_out(text)
    shown = knowing.typed("penstock", "run", "show", "last")
    assert carried.calls == ["whisper"]
    assert "the pod's is *** ***" in carried.said
    assert "cannot reach ***" in shown.stdout
    found = {"text": text.encode(), "said": carried.said.encode(), **knowing.objects()}
    assert [said for name, data in found.items() for said in leaks(CANARY, name, data)] == []


def test_a_secret_of_which_nobody_knows_is_found(knowing: Checkout) -> None:
    """The planted defect: the same, but that no setting says where the variable comes from."""
    write_quiet(knowing, "nobody", OPEN["a setting"][0])
    text = knowing.compiled("flow.py:talking")
    leaked = [*leaks(CANARY, "text", text.encode())]
    for name, data in knowing.objects().items():
        leaked += leaks(CANARY, name, data)
    assert any(said.startswith("text: ") for said in leaked)
    assert any(said.endswith("JSON in JSON") for said in leaked)  # the note of a global


@pytest.mark.parametrize("place", OPEN)
def test_a_secret_of_the_cluster_that_is_known_here_is_refused(
    knowing: Checkout, place: str
) -> None:
    options, files, flags, said = OPEN[place]
    write_quiet(knowing, "the stack", options)
    for name, text in files.items():
        (knowing.folder / name).write_text(text)
    done = knowing.typed("penstock", "pipeline", "compile", "flow.py:talking", *flags)
    assert done.returncode not in (0, 1), done.stderr
    assert said in done.stderr
    assert "CANARY" in done.stderr
    assert list(leaks(CANARY, "said", (done.stdout + done.stderr).encode())) == []


def test_a_leak_that_nothing_can_prevent_is_found(checkout: Checkout) -> None:
    """A step that says it backwards, and returns it."""
    told = "print(secret[::-1])\n    return secret"
    write(checkout, Way(files={"flow.py": FLOW.replace("return len(secret)", told)}))
    found = {"said": checkout.carried_out("flow.py:talking").said.encode(), **checkout.objects()}
    leaked = [said for name, data in found.items() for said in leaks(CANARY, name, data)]

    assert "said: backwards" in leaked
    assert any("/logs/" in each and each.endswith("backwards") for each in leaked)
    assert any("/steps/whisper.json: JSON" in each for each in leaked)


def write(checkout: Checkout, way: Way) -> None:
    """The project, with the secret set in this way."""
    for name, text in {"flow.py": FLOW, **way.files}.items():
        if name == "flow.py":
            text = text.format(options=way.options, pipeline=way.pipeline)
        place = checkout.folder / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    stacks = checkout.folder / "penstock.yaml"
    written = yaml.safe_load(stacks.read_text())
    written["orchestrators"]["kf"]["defaults"]["secret_env"]["CANARY"] = "database/url"
    way.more(written)
    stacks.write_text(yaml.safe_dump(written, allow_unicode=True))


def tarred(data: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        member = tarfile.TarInfo("inside")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", data)
    return made.getvalue()


@pytest.mark.parametrize("form", forms(CANARY))
def test_a_leak_is_found_in_each_form(form: str) -> None:
    assert any(said.endswith(form) for said in leaks(CANARY, "", b"<" + forms(CANARY)[form] + b">"))


@pytest.mark.parametrize(
    "packed",
    [gzip.compress, bz2.compress, lzma.compress, zipped, tarred],
    ids=lambda each: each.__name__,
)
def test_a_leak_is_found_in_what_is_packed(packed: Callable[[bytes], bytes]) -> None:
    assert list(leaks(CANARY, "", packed(gzip.compress(f"-{CANARY}-".encode()))))
    assert not list(leaks(CANARY, "", packed(gzip.compress(b"nothing"))))


@pytest.mark.parametrize("before", ["", "1", "12"])
@pytest.mark.parametrize("after", ["", "1", "12"])
def test_a_leak_is_found_in_base64_wherever_it_stands(before: str, after: str) -> None:
    encoded = b64encode(f"{before}{CANARY}{after}".encode())
    assert list(leaks(CANARY, "", encoded))
