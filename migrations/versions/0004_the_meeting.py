"""The meeting: stops chosen beforehand, a meeting that runs by itself, how it was, and the wish not to be nudged."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "pulse_marks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("meeting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mark", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meetings.id"], name=op.f("fk_pulse_marks_meeting_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pulse_marks")),
        sa.UniqueConstraint("meeting_id", "mark", name=op.f("uq_pulse_marks_meeting_id_mark")),
    )
    with op.batch_alter_table("pulse_marks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pulse_marks_meeting_id"), ["meeting_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pulse_marks_team_id"), ["team_id"], unique=False)

    op.add_column("people", sa.Column("nudges_off_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("meetings", sa.Column("stops", sa.JSON(), nullable=True))
    op.add_column("meetings", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("meetings", sa.Column("self_run_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("meetings", sa.Column("pulse", sa.JSON(), nullable=True))


def downgrade() -> None:
    for column in ("pulse", "self_run_at", "asked_at", "stops"):
        op.drop_column("meetings", column)
    op.drop_column("people", "nudges_off_at")
    op.drop_table("pulse_marks")
