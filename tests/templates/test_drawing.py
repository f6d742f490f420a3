import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import drawing
from bot.drawing import COLOURS, Layout
from bot.review.lifecycle import Stage
from bot.review.naming import by_name
from bot.review.report import EventFacts, Facts, IncidentFacts, MomentFacts, ReviewFacts

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
BOTH = pytest.mark.parametrize("layout", ["wide", "narrow"])
NAMES = by_name({"U0MARA": "Mara"})


def facts(*texts: str | None, title: str = "Checkout is slow") -> Facts:
    events = tuple(
        EventFacts(
            number=number,
            kind="decision",
            outcome=("helped", "no_effect", "worse", "unknown")[number % 4],
            occurred_at=NOON + timedelta(minutes=20 * number),
            recorded_at=NOON,
            text=text,
            source="typed",
        )
        for number, text in enumerate(texts, 1)
    )
    known = {
        "began": MomentFacts(at=NOON, how="set"),
        "mitigated": MomentFacts(at=NOON + timedelta(hours=2), how="set"),
    }
    incident = IncidentFacts(id=1, team_id="T", title=title, moments=known)
    return Facts(incident=incident, review=ReviewFacts(stage=Stage.drafted), timeline=events)


def svg(told: Facts, layout: Layout = "wide") -> str:
    return drawing.svg(told, zone="Europe/Berlin", called=NAMES, layout=layout)


def said(picture: str) -> str:
    return " ".join(" ".join(element.itertext()) for element in ET.fromstring(picture).iter(f"{SVG}text"))


@BOTH
def test_the_picture_tells_itself_to_who_cannot_see_it(layout):
    root = ET.fromstring(svg(facts("rolled back"), layout))

    told = {element.get("id"): element.text for element in root if element.get("id")}
    assert root.get("role") == "img"
    title, about = (told[name] for name in (root.get("aria-labelledby") or "").split())
    assert title == "Timeline of Checkout is slow"
    assert about == (
        "Wed 18 Nov 2026, 13:00 to 15:00 CET (Europe/Berlin): one event (decision 1). "
        "Known moments: began 13:00, mitigated 15:00."
    )


def test_a_pointer_over_a_mark_shows_the_whole_event():
    root = ET.fromstring(svg(facts("rolled back to v317")))

    assert "1 · 13:20 · decision, no effect · rolled back to v317" in [title.text for title in root.iter(f"{SVG}title")]


@BOTH
@pytest.mark.parametrize(
    "words", ["</text><script>alert(1)</script>", "<!--", "]]>", "&amp; &#x3c;", '" onload="alert(1)', "{{ 7 * 7 }}"]
)
def test_what_a_person_wrote_stays_words(layout, words):
    picture = svg(facts(words, title=words), layout)

    root = ET.fromstring(picture)
    shown = [element.text for element in root.iter() if element.text]
    assert any(words in text for text in shown)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "style", "defs", "pattern", "rect", "circle", "path", "g", "text")
    }
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]


@BOTH
def test_nothing_is_loaded_from_elsewhere(layout):
    picture = svg(facts("see https://example.com/graph.png"), layout)

    without_namespace = picture.replace('xmlns="http://www.w3.org/2000/svg"', "")
    root = ET.fromstring(picture)
    addresses = [value for element in root.iter() for value in element.attrib.values() if "//" in value]
    assert "xmlns" not in without_namespace
    assert not re.search(r"\b(?:xlink:)?href=|@import|<image|<foreignObject", picture)
    assert addresses == []


def test_people_are_called_as_in_the_report():
    assert "Mara hands over" in said(svg(facts("<@U0MARA> hands over")))


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(), max_size=60))
def test_any_text_gives_well_formed_xml(text):
    assert ET.fromstring(svg(facts(text, title=text))) is not None


# Colours ------------------------------------------------------------------------------------------

DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
PROTANOPIA = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
TRITANOPIA = ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900))
"""On linear RGB, at full severity (Machado, Oliveira, Fernandes 2009)."""
SEEN = (((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), DEUTERANOPIA, PROTANOPIA, TRITANOPIA)
TELLS_APART = 15.0
"""CIELAB units; about 2.3 can just be noticed side by side."""


@pytest.mark.parametrize("eyes", SEEN, ids=["all", "deuteranopia", "protanopia", "tritanopia"])
def test_the_colours_of_outcomes_are_told_apart_by_all_eyes(eyes):
    assert too_close(COLOURS, eyes) == []


def test_red_and_green_of_the_same_lightness_would_not_pass():
    assert too_close({"helped": "#3f9b3f", "worse": "#b0764a"}, DEUTERANOPIA) == [("helped", "worse")]


def test_each_outcome_has_a_shape_of_its_own():
    root = ET.fromstring(svg(facts(*"abcd")))

    shapes = {
        path.get("class"): path.get("d") for path in root.iter(f"{SVG}path") if path.find(f"{SVG}title") is not None
    }
    assert len(shapes) == len(set(shapes.values())) == 4


@pytest.mark.parametrize("colour", [*COLOURS.values(), *drawing.INKS.values()])
def test_marks_and_words_stand_out_from_white_paper(colour):
    lightness = sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))

    assert 1.05 / (lightness + 0.05) >= 3


def too_close(colours: dict[str, str], eyes: tuple[tuple[float, ...], ...]) -> list[tuple[str, str]]:
    places = {name: lab(seen(linear(colour), eyes)) for name, colour in colours.items()}
    return [(a, b) for a, b in combinations(places, 2) if distance(places[a], places[b]) < TELLS_APART]


def linear(colour: str) -> list[float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def seen(colour: list[float], eyes: tuple[tuple[float, ...], ...]) -> list[float]:
    return [min(max(sum(a * b for a, b in zip(row, colour, strict=True)), 0), 1) for row in eyes]


def lab(colour: list[float]) -> list[float]:
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(a * b for a, b in zip(row, colour, strict=True)) for row in rows]
    x, y, z = (bent(part / white) for part, white in zip(xyz, (0.9505, 1.0, 1.089), strict=True))
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def bent(part: float) -> float:
    return part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116


def distance(one: list[float], other: list[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5


# Pixels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["rolled back", "Żółta łódź – Ελλάδα и Київ", "決済が失敗 🔥", "\x00\ufffe\u202ex", "א ב"]
)
def test_every_picture_becomes_pixels_twice_as_many_as_units(text):
    picture = svg(facts(text))

    pixels = drawing.png(picture)

    root = ET.fromstring(picture)
    assert pixels[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(pixels[16:20]) == 2 * int(root.get("width") or 0)
    assert int.from_bytes(pixels[20:24]) == 2 * int(root.get("height") or 0)


def test_the_letters_come_with_the_program_and_with_their_licence():
    names = sorted(path.name for path in drawing.fonts().iterdir())

    assert names == ["NotoSans-Bold.ttf", "NotoSans-Regular.ttf", "OFL.txt"]
