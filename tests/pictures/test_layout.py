from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from drawings import boxes, chain, faults
from hypothesis import given
from hypothesis import strategies as st

from penstock.pictures.layout import placed
from penstock.pictures.ranks import Link, essential, ranked
from penstock.pictures.rows import LONG
from penstock.pictures.shapes import Point

sizes = st.tuples(st.integers(40, 260), st.sampled_from([34, 44, 60]))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[Link]]:
    """Boxes, and lines from earlier ones to later ones."""
    found = draw(st.lists(sizes, min_size=1, max_size=30))
    numbers = st.integers(0, len(found) - 1)
    pairs = draw(st.sets(st.tuples(numbers, numbers), max_size=60))
    silent = draw(st.booleans())
    return found, [Link(up, down, silent) for up, down in sorted(pairs) if up < down]


@given(graphs())
def test_nothing_overlaps_and_every_line_leads_to_its_box(
    graph: tuple[list[tuple[int, int]], list[Link]],
) -> None:
    found, links = graph
    layout = placed(found, links)
    assert layout.omitted == 0
    assert faults(layout, links) == []


@given(graphs())
def test_equal_graphs_are_laid_out_equally(
    graph: tuple[list[tuple[int, int]], list[Link]],
) -> None:
    assert placed(*graph) == placed(*graph)


@given(st.integers(2, 30), st.data())
def test_circles_end(count: int, data: st.DataObject) -> None:
    numbers = st.integers(0, count - 1)
    pairs = data.draw(st.sets(st.tuples(numbers, numbers), max_size=60))
    links = [Link(up, down) for up, down in sorted(pairs) if up != down]
    kept = ranked(count, links).links
    assert faults(placed(boxes(count), kept), kept) == []
    assert len(placed(boxes(count), links).boxes) == count


@pytest.mark.parametrize("count", [1, 2, 7, 8, 60, 61, 500])
def test_a_long_chain_goes_on_in_the_next_row(count: int) -> None:
    layout = placed(boxes(count), chain(count))
    assert faults(layout, chain(count)) == []
    assert layout.width < LONG + 200
    rows = {box.y for box in layout.boxes}
    assert (len(rows) > 1) is (count > 7)


def test_a_wide_graph_is_not_broken_into_rows_where_many_lines_pass() -> None:
    links = [Link(4 * i + a, 4 * i + 4 + a) for i in range(20) for a in range(4)]
    links += [Link(4 * i, 4 * i + 4 + a) for i in range(20) for a in range(1, 4)]
    layout = placed(boxes(84), links)
    assert faults(layout, links) == []
    assert layout.width > LONG


@pytest.mark.parametrize("side_by_side", [1, 2, 3])
def test_lines_into_the_next_row_neither_cross_nor_coincide(side_by_side: int) -> None:
    count = 60 * side_by_side
    links = [Link(i, i + side_by_side) for i in range(count - side_by_side)]
    links += [Link(0, i) for i in range(1, side_by_side)]
    layout = placed(boxes(count), links)
    turns = [line.points for line in layout.lines if len(line.points) > 2]
    assert faults(layout, links) == []
    assert len(turns) > 2 * side_by_side
    for one, other in combinations(turns, 2):
        assert not any(touch(*a, *b) for a in pairwise(one) for b in pairwise(other))


def test_a_diamond_is_symmetric() -> None:
    a, b, c, d = placed(boxes(4), [Link(0, 1), Link(0, 2), Link(1, 3), Link(2, 3)]).boxes
    assert a.y == d.y
    assert a.y - b.y == c.y - a.y != 0
    assert a.x < b.x == c.x < d.x


def test_boxes_without_lines_stand_in_a_grid() -> None:
    layout = placed(boxes(50), [])
    assert faults(layout, []) == []
    assert layout.width < LONG + 100
    assert len({box.x for box in layout.boxes}) * len({box.y for box in layout.boxes}) < 60


def test_what_is_needed_late_stands_late() -> None:
    found = placed(boxes(5), [*chain(4), Link(4, 3)]).boxes
    assert found[4].x == found[2].x


def test_lines_that_cannot_be_told_apart_are_left_out() -> None:
    links = [Link(i, j) for i in range(60) for j in range(i + 1, 60)]
    layout = placed(boxes(60), links)
    assert layout.omitted == len(links) - 59
    assert faults(layout, chain(60)) == []


@given(graphs())
def test_what_is_left_out_follows_from_what_is_there(
    graph: tuple[list[tuple[int, int]], list[Link]],
) -> None:
    found, links = graph
    count = len(found)
    kept = essential(ranked(count, links))
    assert reachable(count, kept) == reachable(count, links)
    for link in kept:
        assert reachable(count, [each for each in kept if each is not link]) != reachable(
            count, links
        )


def test_a_false_layout_is_noticed() -> None:
    links = chain(3)
    right = placed(boxes(3), links)
    first, second, third = right.boxes
    line, last = right.lines
    box = third._replace(x=second.x + 1)
    back = line._replace(points=line.points[::-1])
    through = line._replace(points=(line.points[0], (third.x + 50, third.middle)))
    assert faults(right, links) == []
    for wrong in (
        replace(right, boxes=[first, second, box]),
        replace(right, width=third.x),
        replace(right, lines=[line]),
        replace(right, lines=[back, last]),
        replace(right, lines=[line, last, through]),
    ):
        assert faults(wrong, links) != []


def touch(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two lines, each level or upright, have a point in common."""
    return all(
        max(min(a[i], b[i]), min(c[i], d[i])) <= min(max(a[i], b[i]), max(c[i], d[i]))
        for i in (0, 1)
    )


def reachable(count: int, links: list[Link]) -> set[tuple[int, int]]:
    """All pairs of which the second can be reached from the first."""
    behind: list[set[int]] = [set() for _ in range(count)]
    for box in reversed(range(count)):  # links go to higher numbers
        for link in links:
            if link.up == box:
                behind[box] |= {link.down} | behind[link.down]
    return {(box, other) for box in range(count) for other in behind[box]}
