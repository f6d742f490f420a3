"""How soon it is noticed that a PostgreSQL is gone without a word: a packet that is lost on the way tells nobody."""

from sqlalchemy import URL, make_url

LIFE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""All but the last (ms) in seconds. A statement may take as long as it likes, while the machine it runs on lives."""


def life_of(url: str | URL) -> dict[str, int]:
    """What a connection is given, but for what the URL itself says."""
    return {name: value for name, value in LIFE.items() if name not in make_url(url).query}
