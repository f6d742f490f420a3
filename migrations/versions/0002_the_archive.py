"""The archive: readings of history, secrets that were replaced, erasures, and the chain that is its witness."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


# What the bot posted itself was kept in every wording, with whatever it quoted that was deleted since.
FORGET_OWN_WORDINGS = """
    DELETE FROM message_versions WHERE message_id IN (
        SELECT messages.id FROM messages JOIN workspaces ON workspaces.team_id = messages.team_id
        WHERE workspaces.bot_id <> '' AND messages.bot_id = workspaces.bot_id
           OR workspaces.bot_user <> '' AND messages.user_id = workspaces.bot_user
    )
"""


def upgrade() -> None:
    op.create_table(
        "books",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("keyed", sa.String(length=16), nullable=False),
        sa.Column("leans_on", sa.JSON(), nullable=False),
        sa.Column("older", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books")),
    )
    with op.batch_alter_table("books", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_books_team_id"), ["team_id"], unique=False)

    op.create_table(
        "erased_people",
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=80), nullable=False),
        sa.Column("pseudonym", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "mark", name=op.f("pk_erased_people")),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasures_swept_at"), ["swept_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_erasures_team_id"), ["team_id"], unique=False)

    op.create_table(
        "book_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("book_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("edited_ts", sa.String(length=24), nullable=False),
        sa.Column("what", sa.String(length=8), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_book_entries_book_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_entries")),
        sa.UniqueConstraint("book_id", "number", name=op.f("uq_book_entries_book_id_number")),
    )
    with op.batch_alter_table("book_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_book_entries_message_id"), ["message_id"], unique=False)

    op.create_table(
        "readings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("why", sa.String(length=12), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("reached_ts", sa.String(length=24), nullable=True),
        sa.Column("oldest_ts", sa.String(length=24), nullable=True),
        sa.Column("paged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("threads", sa.JSON(), nullable=True),
        sa.Column("walked", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("found_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_readings_source_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
    )
    with op.batch_alter_table("readings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_readings_source_id"), ["source_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_readings_team_id"), ["team_id"], unique=False)
        batch_op.create_index(
            "uq_readings_open",
            ["source_id"],
            unique=True,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    with op.batch_alter_table("channels", schema=None) as batch_op:
        batch_op.add_column(sa.Column("bot_left_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("message_files", schema=None) as batch_op:
        batch_op.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_message_files_file", ["team_id", "file_id"], unique=False)
        batch_op.create_index("ix_message_files_sha256", ["sha256"], unique=False)
        batch_op.create_index(
            "ix_message_files_wanted",
            ["tried_at"],
            unique=False,
            sqlite_where=sa.text("sha256 IS NULL AND skipped IS NULL"),
            postgresql_where=sa.text("sha256 IS NULL AND skipped IS NULL"),
        )

    with op.batch_alter_table("message_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("redactions", sa.JSON(), nullable=True))

    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("redactions", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("hidden", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_messages_missing",
            ["team_id", "channel_id"],
            unique=False,
            sqlite_where=sa.text("missing_since IS NOT NULL"),
            postgresql_where=sa.text("missing_since IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_messages_untold",
            ["team_id", "posted_at"],
            unique=False,
            sqlite_where=sa.text("hidden IS NOT NULL AND warned_at IS NULL"),
            postgresql_where=sa.text("hidden IS NOT NULL AND warned_at IS NULL"),
        )

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("guest_since", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.add_column(sa.Column("published_head", sa.String(length=64), nullable=True))

    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.add_column(sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("workspaces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("witness_key", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("history_limited_at", sa.DateTime(timezone=True), nullable=True))

    op.execute(FORGET_OWN_WORDINGS)


def downgrade() -> None:
    with op.batch_alter_table("workspaces", schema=None) as batch_op:
        batch_op.drop_column("history_limited_at")
        batch_op.drop_column("witness_key")

    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.drop_column("read_at")

    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.drop_column("published_head")

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_column("guest_since")

    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_messages_missing",
            sqlite_where=sa.text("missing_since IS NOT NULL"),
            postgresql_where=sa.text("missing_since IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_messages_untold",
            sqlite_where=sa.text("hidden IS NOT NULL AND warned_at IS NULL"),
            postgresql_where=sa.text("hidden IS NOT NULL AND warned_at IS NULL"),
        )
        batch_op.drop_column("warned_at")
        batch_op.drop_column("hidden")
        batch_op.drop_column("redactions")
        batch_op.drop_column("purged_at")

    with op.batch_alter_table("message_versions", schema=None) as batch_op:
        batch_op.drop_column("redactions")

    with op.batch_alter_table("message_files", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_message_files_wanted",
            sqlite_where=sa.text("sha256 IS NULL AND skipped IS NULL"),
            postgresql_where=sa.text("sha256 IS NULL AND skipped IS NULL"),
        )
        batch_op.drop_index("ix_message_files_sha256")
        batch_op.drop_index("ix_message_files_file")
        batch_op.drop_column("tried_at")
        batch_op.drop_column("attempts")

    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_column("purged_at")

    with op.batch_alter_table("channels", schema=None) as batch_op:
        batch_op.drop_column("bot_left_at")

    with op.batch_alter_table("readings", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_readings_open", sqlite_where=sa.text("done_at IS NULL"), postgresql_where=sa.text("done_at IS NULL")
        )
        batch_op.drop_index(batch_op.f("ix_readings_team_id"))
        batch_op.drop_index(batch_op.f("ix_readings_source_id"))

    op.drop_table("readings")
    with op.batch_alter_table("book_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_book_entries_message_id"))

    op.drop_table("book_entries")
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasures_team_id"))
        batch_op.drop_index(batch_op.f("ix_erasures_swept_at"))

    op.drop_table("erasures")
    op.drop_table("erased_people")
    with op.batch_alter_table("books", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_books_team_id"))

    op.drop_table("books")
