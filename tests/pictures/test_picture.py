import os
import subprocess
import sys
from itertools import combinations

import pytest
from drawings import SVG, contrast, elements, parsed, texts, titles
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.records import Status
from penstock.pictures.lettering import cells, escaped, shortened
from penstock.pictures.look import LOOKS, look
from penstock.pictures.node import Edge, Node
from penstock.pictures.palette import DARK, LIGHT, TONES
from penstock.pictures.svg import drawn

HOSTILE = "</style></svg>]]><script>alert('1')</script>\"&\x00\x1b[31m\u202e\ud800\uffff"


def fan(count: int, **states: str) -> tuple[list[Node], list[Edge]]:
    items = [Node(f"train.{i}", states.get(f"t{i}", "completed"), 0.5) for i in range(count)]
    nodes = [Node("load", "completed"), *items, Node("best", "completed")]
    edges = [Edge("load", item.id) for item in items] + [Edge(item.id, "best") for item in items]
    return nodes, edges


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_look(status: Status) -> None:
    assert LOOKS[status].word == status.replace("_", " ")


def test_no_two_marks_have_the_same_shape() -> None:
    assert all(a.mark != b.mark for a, b in combinations(LOOKS.values(), 2))


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.COMPLETED}))
def test_a_state_is_also_said_in_words(status: str) -> None:
    assert texts(drawn("x", [Node("a", status)], []))[1].startswith(look(status).word)


def test_a_state_of_a_later_version_says_its_own_name() -> None:
    assert texts(drawn("x", [Node("a", "on_hold")], [])) == ["a", "on hold"]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "box"])
def test_letters_have_the_contrast_of_wcag_aa(colours: dict[str, str], ground: str) -> None:
    for name in ("ink", "soft", *TONES):
        assert contrast(colours[name], colours[ground]) >= 4.5, name
    assert contrast(colours["edge"], colours[ground]) >= 3


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_picture_is_one_labelled_image() -> None:
    root = parsed(drawn("training: 1 step", [Node("load")], []))
    assert root.tag == f"{SVG}svg"
    assert (root.get("role"), root.get("aria-label")) == ("img", "training: 1 step")
    assert root.findtext(f"{SVG}title") == "training: 1 step"
    assert root.findtext(f"{SVG}desc") == "1 step from left to right. load."


def test_a_box_says_how_long_it_took_and_at_which_attempt() -> None:
    svg = drawn("x", [Node("a", "completed", 2.3, 3), Node("b", "failed", 185, note="Oh")], [])
    assert texts(svg) == ["a", "2.30 s · attempt 3", "b", "failed · 3 min 05 s"]
    assert titles(svg) == ["a: completed, 2.30 s, attempt 3", "b: failed, 3 min 05 s\nOh"]


def test_a_drawn_step_has_no_state() -> None:
    svg = drawn("x", [Node("a")], [])
    assert (texts(svg), titles(svg)) == (["a"], ["a"])


def test_few_items_of_a_map_have_a_box_each() -> None:
    assert len(titles(drawn("x", *fan(8)))) == 10


def test_many_items_of_a_map_are_one_box() -> None:
    svg = drawn("x", *fan(100, t3="failed", t7="failed", t8="cached"))
    assert texts(svg)[2:4] == ["train × 100", "2 failed · 97 completed · …"]
    assert titles(svg)[
        1
    ] == "train × 100: 2 failed, 97 completed, 1 cached, 50.00 s in all".replace("50.00", "50.0")


def test_equal_items_say_how_long_they_took_together() -> None:
    assert texts(drawn("x", *fan(9)))[3] == "completed · 4.50 s in all"


def test_calls_in_a_loop_are_folded_as_well() -> None:
    names = ["train", *(f"train-{i}" for i in range(2, 11))]
    assert texts(drawn("x", [Node(name) for name in names], [])) == ["train × 10"]


def test_steps_that_wait_for_each_other_are_not_one_box() -> None:
    nodes = [Node(f"step.{i}") for i in range(20)]
    edges = [Edge(f"step.{i}", f"step.{i + 1}") for i in range(19)]
    assert len(texts(drawn("x", nodes, edges))) == 20


@given(st.data())
def test_folding_makes_no_circle(data: st.DataObject) -> None:
    count = data.draw(st.integers(10, 40))
    names = [f"{data.draw(st.sampled_from('ab'))}.{i}" for i in range(count)]
    numbers = st.integers(0, count - 1)
    pairs = data.draw(st.sets(st.tuples(numbers, numbers), max_size=40))
    edges = [Edge(names[up], names[down]) for up, down in pairs if up < down]
    parsed(drawn("x", [Node(name) for name in names], edges))


def test_the_order_alone_is_dashed() -> None:
    nodes = [Node("a"), Node("b"), Node("c")]
    svg = drawn("x", nodes, [Edge("a", "b"), Edge("b", "c", True)])
    assert [item.get("class") for item in parsed(svg).iter(f"{SVG}path")] == [
        "wire", "wire dash", "tip",
    ]  # fmt: skip


def test_lines_from_and_to_nowhere_are_left_out() -> None:
    svg = drawn("x", [Node("a")], [Edge("a", "gone"), Edge("gone", "a"), Edge("a", "a")])
    assert list(parsed(svg).iter(f"{SVG}path")) == []


def test_no_steps_are_a_picture_too() -> None:
    assert parsed(drawn("x", [], [])).findtext(f"{SVG}desc") == "0 steps from left to right."


@pytest.mark.parametrize("field", ["id", "status", "note"])
def test_hostile_text_stays_text(field: str) -> None:
    calm = drawn("x", [Node(**{"id": "a", "status": "failed", "note": "b", field: "calm"})], [])
    svg = drawn(HOSTILE, [Node(**{"id": "a", "status": "failed", "note": "b", field: HOSTILE})], [])
    assert elements(svg) == elements(calm)
    assert [item.tag for item in parsed(svg).iter()] == [item.tag for item in parsed(calm).iter()]
    assert "<script>" in "".join(titles(svg))


@given(st.text(st.characters()))
def test_any_text_is_well_formed(text: str) -> None:
    parsed(drawn(text, [Node(text, text, note=text)], []))
    assert not {"<", ">", '"', "'"} & set(escaped(text))


@given(st.text(st.characters()), st.integers(4, 40))
def test_a_short_name_fits(text: str, most: int) -> None:
    assert cells(shortened(text, most)) <= most


def test_of_a_long_name_both_ends_are_seen_and_all_is_told() -> None:
    name = f"{'a' * 120}-12345.7"
    svg = drawn("x", [Node(name)], [])
    assert texts(svg) == ["aaaaaaaaaaaaaaaaa…-12345.7"]
    assert titles(svg) == [name]


def test_wide_letters_are_counted_twice() -> None:
    assert cells("日本e\u0301") == 5


def test_nothing_comes_from_elsewhere_and_nothing_runs() -> None:
    svg = drawn("x", *fan(20, t3="failed"))
    assert elements(svg) <= {
        "svg", "/svg", "title", "/title", "desc", "/desc", "style", "/style", "g", "/g",
        "rect", "path", "circle", "text", "/text",
    }  # fmt: skip
    assert "http" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "url(" not in svg


def test_two_pictures_on_a_page_have_styles_of_their_own() -> None:
    one, other = (parsed(drawn("x", [Node(name)], [])).get("class") for name in "ab")
    assert one != other
    sheet = parsed(drawn("x", [Node("a")], [])).findtext(f"{SVG}style") or ""
    rules = sheet.replace("@media (prefers-color-scheme:dark){", "").split("}")
    selectors = [each for rule in rules if rule for each in rule.partition("{")[0].split(",")]
    assert [each for each in selectors if f".{one}" not in each] == []


def test_equal_graphs_are_equal_pictures_in_every_process() -> None:
    code = (
        "from penstock.pictures.svg import drawn\nfrom penstock.pictures.node import Edge, Node\n"
        "names = [f'n{i}x' for i in range(40)]\n"
        "edges = [Edge(names[i * 7 % j], names[j]) for j in range(1, 40) for i in range(3)]\n"
        "print(drawn('x', [Node(name, 'cached') for name in names], edges))"
    )
    seeds = ("1", "2")
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in seeds
    }
    assert len(made) == 1
