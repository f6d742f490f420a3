"""Purging: what was kept for as long as was promised goes."""

from datetime import timedelta

from bot.desk import Notes, Turn
from storage import retention


def purge_due(turn: Turn) -> Notes:
    """Take the words out of messages whose incident has been over for long enough, some in each turn."""
    before = turn.now - timedelta(days=turn.house.retention_days)
    incident = retention.due(turn.db, turn.team, before=before)
    if incident:
        retention.purge(turn.db, incident, before=before, now=turn.now)
    return ()
