"""The right people at the right hour: who is asked, when they are busy, what calendars hold, what is sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("people", sa.Column("calendar_read_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incidents", sa.Column("assessed", sa.JSON(), nullable=True))
    op.add_column("findings", sa.Column("meeting_id", ID, nullable=True))
    op.add_column("reviews", sa.Column("depth", sa.String(length=8), nullable=True))
    op.add_column("reviews", sa.Column("stepped", sa.JSON(), nullable=True))
    op.add_column("meetings", sa.Column("apart", sa.Text(), nullable=True))
    op.add_column("meetings", sa.Column("uid", sa.String(length=120), nullable=True))
    op.add_column("meetings", sa.Column("sequence", sa.Integer(), server_default="0", nullable=False))
    op.add_column("meetings", sa.Column("first_meets_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("meetings", sa.Column("burden", sa.JSON(), nullable=True))
    op.add_column("meetings", sa.Column("calendar", sa.JSON(), nullable=True))
    op.add_column("attendees", sa.Column("answer", sa.String(length=8), nullable=True))
    op.add_column("attendees", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("attendees", sa.Column("why", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("letter", sa.JSON(), nullable=True))

    op.create_table(
        "user_groups",
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("group_id", sa.String(length=80), nullable=False),
        sa.Column("handle", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("gone_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("team_id", "group_id", name=op.f("pk_user_groups")),
    )
    op.create_table(
        "busy_times",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=80), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_busy_times")),
    )
    op.create_index(op.f("ix_busy_times_team_id"), "busy_times", ["team_id"])
    op.create_index("ix_busy_times_person", "busy_times", ["team_id", "user_id", "from_at"])
    op.create_table(
        "roles_asked",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("meeting_id", ID, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=80), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_roles_asked_incident_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meetings.id"], name=op.f("fk_roles_asked_meeting_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles_asked")),
        sa.UniqueConstraint("meeting_id", "role", "user_id", name=op.f("uq_roles_asked_meeting_id_role_user_id")),
    )
    for column in ("team_id", "incident_id", "meeting_id", "user_id"):
        op.create_index(op.f(f"ix_roles_asked_{column}"), "roles_asked", [column])
    op.create_table(
        "sealed_answers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("meeting_id", ID, nullable=False),
        sa.Column("box", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meetings.id"], name=op.f("fk_sealed_answers_meeting_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_answers")),
    )
    op.create_index(op.f("ix_sealed_answers_team_id"), "sealed_answers", ["team_id"])
    op.create_index(op.f("ix_sealed_answers_meeting_id"), "sealed_answers", ["meeting_id"])
    op.create_table(
        "sealed_marks",
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("meeting_id", ID, nullable=False),
        sa.Column("mark", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meetings.id"], name=op.f("fk_sealed_marks_meeting_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", "meeting_id", "mark", name=op.f("pk_sealed_marks")),
    )
    op.create_index(op.f("ix_sealed_marks_meeting_id"), "sealed_marks", ["meeting_id"])

    op.execute("INSERT INTO fits (revision) VALUES ('0007')")


def downgrade() -> None:
    op.execute("DELETE FROM fits WHERE revision = '0007'")
    for table in ("sealed_marks", "sealed_answers", "roles_asked", "busy_times", "user_groups"):
        op.drop_table(table)
    op.drop_column("outbox", "letter")
    for column in ("why", "answered_at", "answer"):
        op.drop_column("attendees", column)
    for column in ("calendar", "burden", "first_meets_at", "sequence", "uid", "apart"):
        op.drop_column("meetings", column)
    for column in ("stepped", "depth"):
        op.drop_column("reviews", column)
    op.drop_column("findings", "meeting_id")
    op.drop_column("incidents", "assessed")
    op.drop_column("people", "calendar_read_at")
