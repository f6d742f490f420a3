"""Reading a Slack export: what is taken from it, what is put up with, and what is said when it cannot be read."""

import json
import struct
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import exports
from bot.exports import BrokenFile, ChannelNotInExport, ExportedChannel, ExportedPerson, NotAnExport

CHANNELS = [
    {"id": "C1", "name": "inc-7-search", "created": 1768478400, "members": ["U1", "U2"]},
    {"id": "C2", "name": "general"},
]
FIRST = {"type": "message", "user": "U1", "text": "search is slow", "ts": "1768478460.000100"}
SECOND = {"type": "message", "user": "U2", "text": "looking", "ts": "1768478461.000200"}
THIRD = {"type": "message", "bot_id": "B1", "text": "", "ts": "1768564861.000300"}

Contents = Mapping[str, object]


def contents(**more: object) -> dict[str, object]:
    """A small export, file by file; `more` names lists without their ".json"."""
    small: dict[str, object] = {
        "channels.json": CHANNELS,
        "users.json": [{"id": "U1", "name": "ada", "real_name": "Ada"}],
        "inc-7-search/2026-01-15.json": [FIRST, SECOND],
        "inc-7-search/2026-01-16.json": [THIRD],
    }
    return small | {f"{name}.json": held for name, held in more.items()}


def day(held: object) -> dict[str, object]:
    return contents() | {"inc-7-search/2026-01-16.json": held}


def as_bytes(held: object) -> bytes:
    return held if isinstance(held, bytes) else json.dumps(held).encode()


def a_folder(path: Path, held: Contents) -> Path:
    for name, value in held.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(as_bytes(value))
    return path


def a_zip(path: Path, held: Contents) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, value in held.items():
            packed.writestr(name, as_bytes(value))
    return path


def texts(path: Path, channel: str = "inc-7-search") -> list[str]:
    export = exports.read(path)
    return [message["text"] for message in export.messages(export.channel(channel))]


# What is taken -----------------------------------------------------------------------


@pytest.mark.parametrize("form", [a_folder, a_zip])
def test_messages_come_in_order_across_day_files_from_a_folder_and_from_a_zip(tmp_path: Path, form):
    export = exports.read(form(tmp_path / "export", contents()))

    channel = export.channel("inc-7-search")

    assert list(export.messages(channel)) == [FIRST, SECOND, THIRD]
    assert export.count(channel) == 3


def test_messages_that_a_file_holds_out_of_order_are_put_in_order(tmp_path: Path):
    held = contents() | {"inc-7-search/2026-01-15.json": [THIRD, SECOND], "inc-7-search/2026-01-16.json": [FIRST]}

    assert texts(a_folder(tmp_path, held)) == ["search is slow", "looking", ""]


def test_times_are_compared_as_numbers_and_not_as_words(tmp_path: Path):
    early = {"text": "early", "ts": "999999999.5"}
    late = {"text": "late", "ts": "1000000000.000001"}

    assert texts(a_folder(tmp_path, contents() | {"general/2001-09-09.json": [late, early]}), "general") == [
        "early",
        "late",
    ]


def test_a_channel_says_who_was_in_it_and_when_it_began(tmp_path: Path):
    channel = exports.read(a_folder(tmp_path, contents())).channel("inc-7-search")

    assert channel == ExportedChannel(
        id="C1",
        name="inc-7-search",
        private=False,
        created=datetime(2026, 1, 15, 12, tzinfo=UTC),
        members=("U1", "U2"),
    )


@pytest.mark.parametrize("written", ["#inc-7-search", "INC-7-Search", " inc-7-search ", "C1", "c1"])
def test_a_channel_is_found_as_people_write_it(tmp_path: Path, written: str):
    assert exports.read(a_folder(tmp_path, contents())).channel(written).id == "C1"


def test_private_channels_and_direct_conversations_are_private(tmp_path: Path):
    held = contents(
        groups=[{"id": "G1", "name": "inc-8-secret"}],
        mpims=[{"id": "G2", "name": "mpdm-ada--bo-1"}],
        dms=[{"id": "D1", "members": ["U1", "U2"]}],
    ) | {"D1/2026-01-15.json": [FIRST]}

    export = exports.read(a_folder(tmp_path, held))

    assert [export.channel(name).private for name in ("inc-8-secret", "mpdm-ada--bo-1", "D1", "general")] == [
        True,
        True,
        True,
        False,
    ]
    assert list(export.messages(export.channel("D1"))) == [FIRST]


def test_a_channel_once_private_is_private(tmp_path: Path):
    groups = [{"id": "C1", "name": "inc-7-search"}]
    channels = [*CHANNELS, {"id": "C3", "is_private": True}]

    export = exports.read(a_folder(tmp_path, contents(groups=groups, channels=channels)))

    assert export.channel("inc-7-search").private
    assert export.channel("C3").private


def test_an_export_of_private_channels_alone_is_an_export(tmp_path: Path):
    held = {"groups.json": [{"id": "G1", "name": "inc-8"}], "inc-8/2026-01-15.json": [FIRST]}

    assert texts(a_zip(tmp_path / "e.zip", held), "inc-8") == ["search is slow"]


def test_people_are_read_with_their_zone(tmp_path: Path):
    ada = {
        "id": "U1",
        "name": "ada",
        "tz": "Europe/Berlin",
        "profile": {"real_name": "Ada B", "email": "ada@example.com"},
    }

    people = list(exports.read(a_folder(tmp_path, contents(users=[ada]))).people())

    assert people == [
        ExportedPerson(
            user_id="U1",
            name="ada",
            real_name="Ada B",
            tz="Europe/Berlin",
            is_bot=False,
            deleted=False,
            email="ada@example.com",
        ),
    ]


def test_people_with_missing_keys_are_read_and_each_once(tmp_path: Path):
    users = [
        {"id": "U1"},
        {"id": "U1", "name": "again"},
        {"name": "without id"},
        "text",
        {"id": "USLACKBOT", "profile": None},
    ]

    people = list(exports.read(a_folder(tmp_path, contents(users=users))).people())

    assert [(person.user_id, person.real_name, person.is_bot) for person in people] == [
        ("U1", "U1", False),
        ("USLACKBOT", "USLACKBOT", True),
    ]


def test_an_export_without_a_list_of_people_has_no_people(tmp_path: Path):
    export = exports.read(a_folder(tmp_path, {"channels.json": CHANNELS}))

    assert list(export.people()) == []


def test_a_listed_channel_without_a_folder_has_no_messages(tmp_path: Path):
    export = exports.read(a_folder(tmp_path, contents()))

    assert export.count(export.channel("general")) == 0


# What is put up with -------------------------------------------------------------------


@pytest.mark.parametrize("form", [a_folder, a_zip])
def test_an_export_inside_one_folder_is_read(tmp_path: Path, form):
    held = {f"Our Slack export/{name}": value for name, value in contents().items()}

    assert len(texts(form(tmp_path / "export", held))) == 3


def test_a_zip_made_on_windows_is_read(tmp_path: Path):
    held = {f"export\\{name}".replace("/", "\\"): value for name, value in contents().items()}

    assert len(texts(a_zip(tmp_path / "e.zip", held))) == 3


def test_a_zip_made_on_a_mac_is_read(tmp_path: Path):
    noise = {f"__MACOSX/export/._{name.replace('/', '_')}": b"\x00\x05\x16\x07" for name in contents()}
    held = {f"export/{name}": value for name, value in contents().items()}

    assert len(texts(a_zip(tmp_path / "e.zip", noise | held | {"export/.DS_Store": b"\x00"}))) == 3


@pytest.mark.parametrize("form", [a_folder, a_zip])
def test_a_folder_name_with_decomposed_accents_is_found(tmp_path: Path, form):
    held = {"channels.json": [{"id": "C1", "name": "inc-café"}], "inc-cafe\u0301/2026-01-15.json": [FIRST]}

    assert texts(form(tmp_path / "export", held), "inc-café") == ["search is slow"]


def test_a_byte_order_mark_is_skipped(tmp_path: Path):
    assert len(texts(a_folder(tmp_path, day(b"\xef\xbb\xbf" + as_bytes([THIRD]))))) == 3


@pytest.mark.parametrize("empty", [b"", b" \n", b"\xef\xbb\xbf", b"[]"])
def test_an_empty_day_file_is_a_quiet_day(tmp_path: Path, empty: bytes):
    assert len(texts(a_folder(tmp_path, day(empty)))) == 2


def test_what_is_no_message_is_skipped(tmp_path: Path):
    odd = [None, 7, "text", [], {"text": "no ts"}, {"ts": 12.5}, {"ts": "soon"}, {"ts": "1768564862"}, {"ts": None}]

    export = exports.read(a_folder(tmp_path, day(odd)))

    assert [m["ts"] for m in export.messages(export.channel("C1"))][2:] == ["1768564862"]


def test_a_message_in_two_day_files_is_given_once(tmp_path: Path):
    assert texts(a_folder(tmp_path, day([SECOND, THIRD]))) == ["search is slow", "looking", ""]


def test_files_beside_the_day_files_are_left_alone(tmp_path: Path):
    held = contents() | {"inc-7-search/canvas_in_the_conversation.json": b"{", "inc-7-search/2026-01-15.json.bak": b"{"}

    assert len(texts(a_folder(tmp_path, held))) == 3


def test_lists_with_missing_keys_are_read(tmp_path: Path):
    odd = [None, {}, {"name": "old"}, {"id": "C9", "created": "never", "members": "U1"}, *CHANNELS]

    export = exports.read(a_folder(tmp_path, contents(channels=odd)))

    assert export.channel("old") == ExportedChannel(id="old", name="old", private=False, created=None, members=())
    assert export.channel("C9") == ExportedChannel(id="C9", name="C9", private=False, created=None, members=())


def test_a_channel_name_does_not_lead_out_of_the_export(tmp_path: Path):
    a_folder(tmp_path / "elsewhere", {"2026-01-15.json": [FIRST]})
    held = {"channels.json": [{"id": "C1", "name": "../elsewhere"}]}

    export = exports.read(a_folder(tmp_path / "export", held))

    assert export.count(export.channel("C1")) == 0


# What is said when it cannot be read --------------------------------------------------


def test_what_is_no_export_is_said_with_what_to_name_instead(tmp_path: Path):
    with pytest.raises(NotAnExport) as refused:
        exports.read(a_folder(tmp_path, {"notes.json": []}))

    assert str(refused.value) == (
        f"“{tmp_path}” is not a Slack export: there is no channels.json in it. "
        "Name the zip file as Slack sent it, or the folder that holds its channels.json."
    )


def test_a_path_that_leads_nowhere_is_no_export(tmp_path: Path):
    with pytest.raises(NotAnExport, match="no such file or folder"):
        exports.read(tmp_path / "gone.zip")


def test_a_file_that_is_no_zip_is_no_export(tmp_path: Path):
    (tmp_path / "channels.json").write_text("[]")

    with pytest.raises(NotAnExport, match="neither a folder nor a zip file"):
        exports.read(tmp_path / "channels.json")


def test_several_exports_side_by_side_are_not_chosen_from(tmp_path: Path):
    held = {f"{name}/channels.json": CHANNELS for name in ("march", "april")}

    with pytest.raises(NotAnExport, match="several of them, april, march"):
        exports.read(a_folder(tmp_path, held))


def test_a_channel_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path):
    export = exports.read(a_folder(tmp_path, contents()))

    with pytest.raises(ChannelNotInExport) as refused:
        export.channel("inc-7-serach")

    assert refused.value.nearest == ("inc-7-search",)
    assert "The nearest is inc-7-search." in str(refused.value)


def test_a_channel_unlike_any_other_is_answered_with_what_exports_leave_out(tmp_path: Path):
    with pytest.raises(ChannelNotInExport, match="Private channels are only in exports that were asked for with them"):
        exports.read(a_folder(tmp_path, contents())).channel("zzz")


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (b'[\n{"ts": "1",}]', "line 2, column 12 is not JSON"),
        (b'{"ts": "1"}', "should hold a list"),
        (b"null", "should hold a list"),
        (b"[\xff]", "byte 1 is not UTF-8"),
        (b"[" * 200_000, "not of a shape that Slack writes"),
        (b"[" + b"1" * 5000 + b"]", "not of a shape that Slack writes"),
    ],
    ids=["cut", "object", "null", "latin", "deep", "long number"],
)
def test_a_broken_day_file_is_named_before_any_message_is_given(tmp_path: Path, held: bytes, why: str):
    export = exports.read(a_zip(tmp_path / "e.zip", day(held)))

    with pytest.raises(BrokenFile, match=why) as refused:
        export.messages(export.channel("C1"))

    assert refused.value.file == "inc-7-search/2026-01-16.json"
    assert "Download the export again" in str(refused.value)


def test_a_broken_list_of_channels_is_named(tmp_path: Path):
    with pytest.raises(BrokenFile, match=r"“channels\.json”"):
        exports.read(a_folder(tmp_path, {"channels.json": b"[{]"}))


def test_a_broken_file_of_another_channel_is_in_nobodys_way(tmp_path: Path):
    assert len(texts(a_folder(tmp_path, contents() | {"general/2026-01-15.json": b"{"}))) == 3


def test_a_file_in_a_zip_that_would_unpack_to_more_than_we_read_is_refused(tmp_path: Path):
    path = a_zip(tmp_path / "e.zip", contents())
    claim_size(path, "inc-7-search/2026-01-16.json", 513 * 2**20)
    export = exports.read(path)

    with pytest.raises(BrokenFile, match="unpack to 513 MB, and 512 MB is the most"):
        export.count(export.channel("C1"))


def test_a_file_in_a_zip_that_hides_its_size_is_refused(tmp_path: Path):
    path = a_zip(tmp_path / "e.zip", day(b"[" + b" " * 100_000 + b"]"))
    claim_size(path, "inc-7-search/2026-01-16.json", 10)
    export = exports.read(path)

    with pytest.raises(BrokenFile, match="damaged inside the zip"):
        export.count(export.channel("C1"))


def test_a_file_in_a_folder_larger_than_we_read_is_refused(tmp_path: Path):
    path = a_folder(tmp_path, contents())
    with (path / "inc-7-search" / "2026-01-16.json").open("r+b") as sparse:
        sparse.truncate(513 * 2**20)
    export = exports.read(path)

    with pytest.raises(BrokenFile, match="513 MB"):
        export.count(export.channel("C1"))


def test_a_damaged_zip_member_is_named(tmp_path: Path):
    path = a_zip(tmp_path / "e.zip", contents())
    packed = bytearray(path.read_bytes())
    at = packed.index(b"inc-7-search/2026-01-16.json") + len("inc-7-search/2026-01-16.json")
    packed[at : at + 8] = bytes(8)
    path.write_bytes(packed)
    export = exports.read(path)

    with pytest.raises(BrokenFile, match="damaged inside the zip") as refused:
        export.count(export.channel("C1"))

    assert refused.value.file == "inc-7-search/2026-01-16.json"


def test_a_zip_member_under_a_password_is_named(tmp_path: Path):
    path = a_zip(tmp_path / "e.zip", contents())
    patch_directory(path, "inc-7-search/2026-01-16.json", 8, struct.pack("<H", 1))
    export = exports.read(path)

    with pytest.raises(BrokenFile, match="locked with a password"):
        export.count(export.channel("C1"))


def claim_size(path: Path, name: str, size: int) -> None:
    patch_directory(path, name, 24, struct.pack("<I", size))


def patch_directory(path: Path, name: str, offset: int, value: bytes) -> None:
    """Overwrite a field of the central directory's entry: 46 bytes, then the name."""
    packed = bytearray(path.read_bytes())
    at = packed.rindex(name.encode()) - 46 + offset
    packed[at : at + len(value)] = value
    path.write_bytes(packed)
