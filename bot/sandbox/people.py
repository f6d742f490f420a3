"""The workspace a newcomer meets: invented people in several zones, an alert bot, three channels."""

from __future__ import annotations

from bot.sandbox.workspace import BOT_ID, BOT_USER, TEAM, User, Workspace

BEGINNING = 1_760_000_000  # October 2025: before anything that happens in the sandbox

PEOPLE = (
    ("U0PRIYA", "priya", "Priya Raman", "Asia/Kolkata", "Site reliability"),
    ("U0JONAS", "jonas", "Jonas Lindqvist", "Europe/Stockholm", "Backend"),
    ("U0AMARA", "amara", "Amara Okafor", "Africa/Lagos", "Payments"),
    ("U0MARCUS", "marcus", "Marcus Bell", "America/New_York", "Engineering manager"),
    ("U0SOFIA", "sofia", "Sofía Herrera", "America/Mexico_City", "Support lead"),
    ("U0LENA", "lena", "Lena Vogt", "Europe/Berlin", "Databases"),
    ("U0KENJI", "kenji", "Kenji Morita", "Asia/Tokyo", "Networking"),
    ("U0NOOR", "noor", "Noor Haddad", "Europe/Berlin", "Product"),
    ("U0TOM", "tom", "Tom Whitaker", "Europe/London", "Frontend"),
    ("U0INES", "ines", "Inês Duarte", "UTC", "Security"),
)
WATCHTOWER = User("U0WATCH", "watchtower", "Watchtower", is_bot=True, bot_id="B0WATCH", updated=BEGINNING)
CHANNELS = (("C0GENERAL", "general", True), ("C0INCIDENTS", "incidents", True), ("C0SUPPORT", "support", False))


def add_bot(workspace: Workspace, name: str) -> None:
    """Our app's own user."""
    bot = User(BOT_USER, "debrief", name, is_bot=True, bot_id=BOT_ID, updated=BEGINNING)
    workspace.users[BOT_USER] = bot


def add_default_people(workspace: Workspace) -> None:
    for user_id, name, real_name, tz, title in PEOPLE:
        email = f"{name}@sandbox.example"
        workspace.users[user_id] = User(user_id, name, real_name, tz, email=email, title=title, updated=BEGINNING)
    workspace.users[WATCHTOWER.id] = WATCHTOWER
    engineers = ["U0PRIYA", "U0JONAS", "U0LENA", "U0KENJI"]
    add_group(workspace, "oncall", "On call", engineers, about="Whoever is on call this week")


def add_group(workspace: Workspace, handle: str, name: str, users: list[str], *, about: str = "") -> None:
    """A user group, whose id is made of its handle."""
    group_id = "S0" + "".join(letter for letter in handle.upper() if letter.isalnum())
    workspace.usergroups[group_id] = {
        "id": group_id,
        "team_id": TEAM,
        "is_usergroup": True,
        "name": name,
        "handle": handle,
        "description": about,
        "date_delete": 0,
        "user_count": len(users),
        "users": users,
    }


def add_default_channels(workspace: Workspace) -> None:
    """Everybody is in every channel; the bot is not in #support."""
    everybody = [user for user in workspace.users if user != BOT_USER]
    for channel_id, name, with_bot in CHANNELS:
        members = [*everybody, BOT_USER] if with_bot else everybody
        channel = workspace.new_channel(name, kind="channel", creator="U0MARCUS", members=members)
        del workspace.channels[channel.id]
        channel.id, channel.created, channel.is_general = channel_id, BEGINNING, name == "general"
        workspace.channels[channel_id] = channel
