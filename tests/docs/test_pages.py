import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from secrets_api import SecretsApi
from servers import KEY, REGION, SECRET, Server
from standins import Hatchery
from story import PAGES, ROOT, Story, by_name, pattern, plain

LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """What whoever has an account on an S3 server has in the environment."""
    with Server("moto") as server:
        yield {
            "S3_URL": server.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
        }


@pytest.fixture
def kubeflow(
    s3: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The same of whoever has a profile `ml` on a Kubeflow, whose pods find the Secrets that lie in
    its cluster: by a stand-in, and a server that answers as Kubernetes."""
    folder = tmp_path_factory.mktemp("kubeflow")
    configs = {"site": {"s3-url": s3["S3_URL"], "region": s3["AWS_DEFAULT_REGION"]}}
    with (
        Hatchery() as hatchery,
        hatchery.standin(
            folder / "standin", multi_user=True, namespaces=["ml"], token="mine", configs=configs
        ) as standin,
        SecretsApi("ml") as api,
    ):
        api.after = lambda: standin.set(secrets=api.values("ml"))
        yield {
            "KFP_HOST": standin.url,
            "KFP_TOKEN": "mine",
            "KUBECONFIG": str(api.kubeconfig(folder, ml=api.url)),
        }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_everything_that_a_page_shows_is_so(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text = page.read_text("utf-8")
    needed = {"s3": "${env:S3_URL}", "kubeflow": "${env:KFP_HOST}"}
    environment: dict[str, str] = {}
    for name, needs in needed.items():
        environment |= request.getfixturevalue(name) if needs in text else {}
    if wrong := Story(page, tmp_path, environment).happen().wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        if "://" in target:
            continue
        there = page.parent / target if target else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there.read_text("utf-8")), f"{target}{anchor}"


def test_every_page_is_linked_from_the_index() -> None:
    index = ROOT / "docs/index.md"
    linked = {(index.parent / to).resolve() for to, _ in LINK.findall(index.read_text("utf-8"))}
    assert {page for page in PAGES if page.parent != ROOT and page != index} <= linked


@pytest.mark.parametrize(
    ("page", "printed", "same"),
    [
        ("done in 0.10 s", "done in 0.22 s", True),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("a …", "a b", True),
        ("a  1", "a    1", True),
        ("a", "b", False),
        ("a", "a\nb", False),
        ("a\nb", "a", False),
        ("4", "4.", False),
    ],
)
def test_what_a_page_may_leave_open(page: str, printed: str, same: bool) -> None:
    wanted, really = "\n".join(plain(page)), "\n".join(plain(printed))
    assert bool(re.fullmatch(pattern(wanted), f"{really}\n")) is same


def test_a_false_page_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n```\n```python\nprint(1)  # 2\n```\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    assert len(Story(page, folder).happen().wrong) == 2


def test_steps_that_run_side_by_side_end_in_any_order() -> None:
    lines = ["begin", "  b  TIME", "  a  skipped: why", "end", "  c  TIME", "end"]
    assert by_name("\n".join(lines)).split("\n") == [lines[0], *sorted(lines[1:3]), *lines[3:]]


def anchors(text: str) -> set[str]:
    """The headings of a page as links name them."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
