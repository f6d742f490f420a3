"""Saying it once from many replicas: ranks, reading back, Slack's pauses, who fits the schema, and less to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("rank", sa.Integer(), server_default="1", nullable=False))
    op.add_column("outbox", sa.Column("read_back_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("reposted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("workspaces", sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("workspaces", sa.Column("restored_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("workspaces", sa.Column("awake_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("workspaces", sa.Column("away_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("workspaces", sa.Column("back_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_outbox_channel", "outbox", ["team_id", "channel_id", "state"])
    op.create_index("ix_outbox_attempted", "outbox", ["team_id", "attempted_at"])

    op.create_table(
        "pauses",
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "method", name=op.f("pk_pauses")),
    )
    fits = op.create_table(
        "fits",
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_fits")),
    )
    op.bulk_insert(fits, [{"revision": "0005"}, {"revision": "0006"}])

    op.add_column("people", sa.Column("reminders_off_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("people", sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("actions", sa.Column("snoozed_until", sa.Date(), nullable=True))
    op.add_column("actions", sa.Column("worked", sa.String(length=8), nullable=True))
    op.add_column("actions", sa.Column("worked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for column in ("worked_at", "worked", "snoozed_until"):
        op.drop_column("actions", column)
    for column in ("snoozed_until", "reminders_off_at"):
        op.drop_column("people", column)
    op.drop_table("fits")
    op.drop_table("pauses")
    for column in ("back_at", "away_from", "awake_at", "restored_from", "restored_at"):
        op.drop_column("workspaces", column)
    op.drop_index("ix_outbox_attempted", "outbox")
    op.drop_index("ix_outbox_channel", "outbox")
    for column in ("deleted_at", "reposted_at", "read_back_at", "rank"):
        op.drop_column("outbox", column)
