"""Finding it again: everything that was written has an index of its words, kept by the database itself; what was said
in a channel leads to its incident.

A later migration that lets SQLite make one of these tables anew drops its three triggers without a word, and has to
make them again.
"""

# ruff: noqa: S608 - the names are those below

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


@dataclass(frozen=True, slots=True)
class Words:
    """A column whose words are found, and the names of its index."""

    table: str
    column: str
    index: str
    """On SQLite."""
    words: str
    """The column that PostgreSQL keeps."""


WORDS = (
    Words("messages", "plain", "message_words", "words"),
    Words("incidents", "title", "title_words", "title_words"),
    Words("incidents", "summary", "summary_words", "summary_words"),
    Words("incidents", "impact", "impact_words", "impact_words"),
    Words("findings", "text", "finding_words", "words"),
    Words("actions", "text", "action_words", "words"),
    Words("timeline_events", "text", "event_words", "words"),
    Words("timeline_events", "answer", "answer_words", "answer_words"),
    Words("event_comments", "text", "comment_words", "words"),
    Words("reviews", "draft", "draft_words", "words"),
)

ALIKE = "tokenize='unicode61 remove_diacritics 2'"
"""Without case, and Latin letters without their accents; PostgreSQL is made to do the same below."""
IN_IMPACT = "(SELECT group_concat(atom, ' ') FROM json_tree({}) WHERE atom IS NOT NULL)"
"""The values of the JSON: its keys are ours."""


def upgrade() -> None:
    op.create_index("ix_sources_channel", "sources", ["team_id", "channel_id"])
    for statement in _sqlite() if _is_sqlite() else _postgresql():
        op.execute(sa.text(statement.replace(":", r"\:")))


def downgrade() -> None:
    for statement in _undo_sqlite() if _is_sqlite() else _undo_postgresql():
        op.execute(sa.text(statement.replace(":", r"\:")))
    op.drop_index("ix_sources_channel", "sources")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


# SQLite ---------------------------------------------------------------------------------------


def _sqlite() -> Iterator[str]:
    yield from _drop_sqlite(WORDS[0])
    for words in WORDS:
        yield from _index(words, ALIKE)


def _undo_sqlite() -> Iterator[str]:
    for words in WORDS:
        yield from _drop_sqlite(words)
    yield from _index(WORDS[0], "tokenize='unicode61 remove_diacritics 0'")


def _index(words: Words, alike: str) -> Iterator[str]:
    table, column, index = words.table, words.column, words.index
    is_json = column == "impact"
    new, old = (IN_IMPACT.format(f"{row}.impact") if is_json else f"{row}.{column}" for row in ("new", "old"))
    content = "content=''" if is_json else f"content='{table}', content_rowid='id'"
    forget = f"INSERT INTO {index}({index}, rowid, {column}) VALUES ('delete', old.id, {old})"
    keep = f"INSERT INTO {index}(rowid, {column}) VALUES (new.id, {new})"
    yield f"CREATE VIRTUAL TABLE {index} USING fts5({column}, {content}, {alike})"
    if is_json:
        yield f"INSERT INTO {index}(rowid, {column}) SELECT id, {IN_IMPACT.format('impact')} FROM {table}"
    else:
        yield f"INSERT INTO {index}({index}) VALUES ('rebuild')"
    yield f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {keep}; END"
    yield f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {forget}; END"
    changed = f"AFTER UPDATE OF {column} ON {table} WHEN old.{column} IS NOT new.{column}"
    yield f"CREATE TRIGGER {index}_update {changed} BEGIN {forget}; {keep}; END"


def _drop_sqlite(words: Words) -> Iterator[str]:
    for event in ("update", "delete", "insert"):
        yield f"DROP TRIGGER {words.index}_{event}"
    yield f"DROP TABLE {words.index}"


# PostgreSQL -----------------------------------------------------------------------------------

VALUES = 'strict $.** ? (@.type() == "string" || @.type() == "number")'
CAPITALS = (
    "ÆÐØÞĐĦŁŊŒŦƏẞΆΈΉΊΌΎΏΪΫΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯҐ"
    "ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ"
)
LIKE_ANOTHER, THE_OTHER = "ſµς", "sμσ"
# Of what is no letter or digit: ASCII, Latin-1, general punctuation to arrows and boxes, CJK and wide punctuation,
# emoji. PostgreSQL would read a host, a path or "-42" as one word, and in some locales a dash as a letter.
NO_LETTER = (
    r"[^a-z0-9\u00aa\u00b2\u00b3\u00b5\u00b9\u00ba\u00bc-\u00be\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02c1\u0370-\u1fff"
    r"\u2c00-\u2dff\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\ud7ff\ue000-\ufe0f\ufe70-\uff00"
    r"\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc\U00010000-\U0001efff\U00020000-\U0003ffff]+"
)


def _postgresql() -> Iterator[str]:
    yield "DROP INDEX ix_messages_words"
    yield "ALTER TABLE messages DROP COLUMN words"
    for table in dict.fromkeys(words.table for words in WORDS):
        mine = [words for words in WORDS if words.table == table]
        columns = (f"ADD COLUMN {words.words} tsvector GENERATED ALWAYS AS ({_vector(words)}) STORED" for words in mine)
        yield f"ALTER TABLE {table} {', '.join(columns)}"
        for words in mine:
            yield f"CREATE INDEX ix_{table}_{words.words} ON {table} USING gin ({words.words})"


def _vector(words: Words) -> str:
    text = f"jsonb_path_query_array(impact::jsonb, '{VALUES}')::text" if words.column == "impact" else words.column
    bare = rf"normalize(regexp_replace(normalize({text}, NFD), '([a-zA-Z])[\u0300-\u036f]+', '\1', 'g'), NFC)"
    capitals, small = CAPITALS + LIKE_ANOTHER, CAPITALS.lower() + THE_OTHER
    folded = f"translate({bare}, '{capitals}', '{small}')"
    # What has as many bytes as characters is ASCII, and most is.
    plain = f"CASE WHEN octet_length({text}) = char_length({text}) THEN {text} ELSE {folded} END"
    return f"to_tsvector('simple', regexp_replace(lower(({plain}) COLLATE \"C\"), '{NO_LETTER}', ' ', 'g'))"


def _undo_postgresql() -> Iterator[str]:
    for words in WORDS:
        yield f"DROP INDEX ix_{words.table}_{words.words}"
        yield f"ALTER TABLE {words.table} DROP COLUMN {words.words}"
    yield """
    ALTER TABLE messages ADD COLUMN words tsvector
    GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(plain, '[^a-zA-Z0-9]+', ' ', 'g'))) STORED
    """
    yield "CREATE INDEX ix_messages_words ON messages USING gin (words)"
