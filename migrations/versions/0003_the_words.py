"""The words: an index by which messages are found, kept by the database itself.

A later migration that lets SQLite make the table `messages` anew drops the three triggers without a word, and has to
make them again.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

SQLITE = (
    """
    CREATE VIRTUAL TABLE message_words
    USING fts5(plain, content='messages', content_rowid='id', tokenize='unicode61 remove_diacritics 0')
    """,
    "INSERT INTO message_words(message_words) VALUES ('rebuild')",
    """
    CREATE TRIGGER message_words_insert AFTER INSERT ON messages BEGIN
        INSERT INTO message_words(rowid, plain) VALUES (new.id, new.plain);
    END
    """,
    """
    CREATE TRIGGER message_words_delete AFTER DELETE ON messages BEGIN
        INSERT INTO message_words(message_words, rowid, plain) VALUES ('delete', old.id, old.plain);
    END
    """,
    """
    CREATE TRIGGER message_words_update AFTER UPDATE OF plain ON messages WHEN old.plain IS NOT new.plain BEGIN
        INSERT INTO message_words(message_words, rowid, plain) VALUES ('delete', old.id, old.plain);
        INSERT INTO message_words(rowid, plain) VALUES (new.id, new.plain);
    END
    """,
)
# PostgreSQL would read a host, a path or "-42" as one word: what is no letter or digit becomes a space first.
POSTGRESQL = (
    """
    ALTER TABLE messages ADD COLUMN words tsvector
    GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(plain, '[^a-zA-Z0-9]+', ' ', 'g'))) STORED
    """,
    "CREATE INDEX ix_messages_words ON messages USING gin (words)",
)
UNDO_SQLITE = (
    "DROP TRIGGER message_words_update",
    "DROP TRIGGER message_words_delete",
    "DROP TRIGGER message_words_insert",
    "DROP TABLE message_words",
)
UNDO_POSTGRESQL = ("DROP INDEX ix_messages_words", "ALTER TABLE messages DROP COLUMN words")


def upgrade() -> None:
    for statement in SQLITE if _is_sqlite() else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    for statement in UNDO_SQLITE if _is_sqlite() else UNDO_POSTGRESQL:
        op.execute(statement)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
