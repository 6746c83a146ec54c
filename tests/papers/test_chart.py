"""A chart says in words what it draws, is harmless, and is drawn to scale."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.chart import STYLESHEET, Chart, Series, svg
from papers.chart_scale import AT_MOST, Scale

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
MONTHS = ("Jan", "Feb", "Mar")


def drawn(chart, alone=False):
    return ElementTree.fromstring(svg(chart, alone))


def marks(root, tag, kind):
    return [found for found in root.iter(f"{SVG}{tag}") if kind in found.get("class", "").split()]


def test_a_reader_that_sees_nothing_hears_title_and_values():
    root = drawn(Chart("Renewals", MONTHS, (Series("renewed", (3, None, 5)),), shown=lambda v: f"{v} keys"))
    by_id = {found.get("id"): found.text for found in root.iter() if found.get("id")}

    assert root.get("role") == "img"
    assert [by_id[name] for name in root.get("aria-labelledby").split()] == [
        "Renewals",
        "renewed: Jan 3 keys, Mar 5 keys.",
    ]


def test_of_many_values_the_course_is_told():
    labels = tuple(f"d{day}" for day in range(365))
    root = drawn(Chart("A year", labels, (Series("due", tuple(range(365))),), kind="lines"))

    assert (
        root.find(f"{SVG}desc").text
        == "due: first 0 (d0), least 0 (d0), greatest 364 (d364), last 364 (d364)."
    )


@pytest.mark.parametrize("kind", ["bars", "stacked", "lines"])
def test_whatever_is_written_in_it_is_text(kind):
    chart = Chart(HOSTILE, (HOSTILE,), (Series(HOSTILE, (1,)), Series("b", (2,))), kind, goal=(HOSTILE, 3))

    assert not [found.tag for found in drawn(chart).iter() if found.tag in (f"{SVG}script", f"{SVG}img")]
    assert "style=" not in svg(chart)
    assert "<style" not in svg(chart)


def test_a_file_of_its_own_has_the_style_sheet_inside():
    chart = Chart("Alone", MONTHS, (Series("a", (1, 2, 3)),))

    assert drawn(chart, alone=True).find(f"{SVG}style").text == STYLESHEET.read_text(encoding="utf-8")


def test_bars_are_as_high_as_their_values():
    bars = marks(drawn(Chart("Bars", MONTHS, (Series("a", (10, 20, 0)),))), "rect", "bar")
    heights = [float(bar.get("height")) for bar in bars]

    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert heights[2] == 0


def test_what_is_below_nought_hangs_from_it():
    up, down = marks(drawn(Chart("Signed", ("a", "b"), (Series("x", (5, -5)),))), "rect", "bar")

    assert float(down.get("y")) == pytest.approx(float(up.get("y")) + float(up.get("height")), abs=0.2)


def test_stacked_bars_stand_on_each_other():
    lower, upper = marks(
        drawn(Chart("Stack", ("a",), (Series("x", (4,)), Series("y", (6,))), "stacked")), "rect", "bar"
    )

    assert float(upper.get("y")) + float(upper.get("height")) == pytest.approx(float(lower.get("y")), abs=0.2)


def test_where_a_value_lacks_the_line_is_broken():
    root = drawn(Chart("Gap", ("a", "b", "c", "d"), (Series("x", (1, 2, None, 4)),), "lines"))

    assert marks(root, "path", "line")[0].get("d").count("M") == 2
    assert len(marks(root, "circle", "point")) == 3


def test_labels_that_have_no_room_are_left_out():
    labels = tuple(f"2027-{number:02d}-01" for number in range(90))
    root = drawn(Chart("Many", labels, (Series("x", (1,) * 90),)))
    places = sorted(float(found.get("x")) for found in marks(root, "text", "label"))

    assert len(places) > 3
    assert min(b - a for a, b in pairwise(places)) > 70


def test_a_value_for_each_label_or_nothing_is_drawn():
    with pytest.raises(ValueError, match="for each of its labels"):
        svg(Chart("Short", MONTHS, (Series("a", (1,)),)))


def test_a_chart_of_nothing_is_a_chart():
    assert drawn(Chart("Nothing", (), (Series("a", ()),))).find(f"{SVG}desc").text == "a: none."


@given(st.lists(st.floats(-1e12, 1e12).filter(lambda v: v == 0 or abs(v) > 1e-6), max_size=20))
def test_every_value_and_nought_are_on_the_scale(values):
    scale = Scale.over(values)

    assert 0 in scale.ticks
    assert 2 <= len(scale.ticks) <= AT_MOST + 2
    assert all(-1e-6 <= scale.share(value) <= 1 + 1e-6 for value in values)


def test_of_whole_things_there_is_no_half():
    assert Scale.over([1, 2]).ticks == (0, 1, 2)
