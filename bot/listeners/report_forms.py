"""The pages of the form in which the report is edited: each text a field, filled with how it is read now."""

import json
from collections.abc import Mapping
from typing import Any

from bot import rewriting
from bot.listeners import blocks
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed
from bot.review.summary import Sentences, sentences_of
from bot.rewriting import Sheet, Text

FIRST = "text_0"
"""The field beside which a refusal is shown."""
SENTENCES = ("What happened", "What was felt, and by whom", "How it was fixed")
LABELS = {
    "summary": "The summary",
    "impact": "The impact in words",
    "went": "How meeting {} went, in a sentence or two",
}
TOO_LONG = "{} is longer than a form takes. It can be edited in the Markdown of the report."


def fields(sheet: Sheet) -> list[Block]:
    """A field for every text of a page; the three sentences of the summary are three."""
    if not sheet.texts:
        return [blocks.said("There is nothing here yet.")]
    return [block for text in _spread(sheet) for block in _field(*text)]


def _spread(sheet: Sheet) -> list[tuple[int, str, str]]:
    """Place, label and words of every field."""
    spread = [(label, words) for text in sheet.texts for label, words in _labelled(text)]
    return [(place, label, words) for place, (label, words) in enumerate(spread)]


def _labelled(text: Text) -> list[tuple[str, str]]:
    if text.key == "summary":
        known = sentences_of(text.words)
        return list(zip(SENTENCES, (known.happened, known.felt, known.fixed), strict=True))
    what, _, number = text.key.partition(" ")
    return [(LABELS.get(what, text.key.capitalize()).format(number), text.words)]


def _field(place: int, label: str, words: str) -> list[Block]:
    if len(words) > blocks.TEXT_LIMIT:
        return [blocks.said(TOO_LONG.format(label))]
    return [blocks.optional(blocks.field(f"text_{place}", label, blocks.lines(words)))]


def remembered(sheet: Sheet) -> str:
    """The keys of the fields, with marks of what they showed."""
    return json.dumps([[text.key, text.mark, _as_asked(text).mark] for text in sheet.texts])


def _as_asked(text: Text) -> Text:
    """As it comes back where nobody changed it: a paragraph of three sentences comes back as three lines."""
    return Text(text.key, sentences_of(text.words).as_summary()) if text.key == "summary" else text


def deed(answers: Mapping[str, Any], kept: str) -> Deed:
    """What was filled in, by key, with the marks of what was shown; what came back as it was is left out."""
    texts: dict[str, str] = {}
    seen: dict[str, str] = {}
    place = 0
    for key, mark, asked in json.loads(kept):
        taken = 3 if key == "summary" else 1
        words = [str(answers.get(f"text_{place + nth}") or "") for nth in range(taken)]
        place += taken
        text = Sentences(*words).as_summary() if key == "summary" else words[0]
        if text and Text(key, text).mark != asked:
            texts[key], seen[key] = text, mark
    return Deed(rewriting.rewrite, {"texts": texts, "seen": seen})
