"""What became of a call to Slack that did not end in a clear yes.

Sure is what Slack itself says with status 200 in a word of its reference, and status 429. Whatever else comes back, or
does not, leaves open whether Slack did what it was asked: a time-out, a broken connection, 5xx, a page of a proxy in
between, half an answer, a word that no page of the reference names.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

RETRY_S = 30.0
"""How long a note waits where Slack does not say how long."""
UNTIL_MENDED_S = 300.0
"""How long it waits where somebody has to put our installation right first."""


class NoAnswer(ClientError):
    """What came back is neither a yes nor a no of Slack's."""


FAILURES = (SlackApiError, ClientError, OSError, TimeoutError)
"""What a call raises."""

TRY_LATER = {
    "external_channel_migrating",
    "message_limit_exceeded",
    "org_login_required",
    "rate_limited",
    "ratelimited",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
}
OURS_TO_MEND = {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}
"""Slack does not let us in at all: that is no fault of the note."""
ALREADY_SO = {"already_reacted", "no_reaction"}
UNKNOWN = {"fatal_error", "file_update_failed", "internal_error", "update_failed"}
"""Slack answers these although part of the work may have been done."""
LISTED = """
    access_denied accesslimited alt_txt_too_large app_access_restricted as_user_not_supported
    attachment_payload_limit_exceeded bad_timestamp block_mismatch blocked_file_type cannot_reply_to_message
    cant_broadcast_message cant_delete_file cant_delete_message cant_update_message channel_is_limited_access
    channel_not_found channels_limit_exceeded delete_not_allowed deprecated_endpoint draft_already_deleted
    draft_already_sent draft_has_conflict draft_not_found duplicate_channel_not_found duplicate_message_not_found
    edit_window_closed ekm_access_denied enterprise_is_restricted file_comment_not_found file_deleted
    file_deleting_disabled file_is_deleted file_not_found file_share_limit_reached file_type_not_allowed
    file_upload_size_restricted file_uploads_disabled file_uploads_except_images_disabled invalid_arg_name
    invalid_arguments invalid_array_arg invalid_attachments invalid_blocks invalid_blocks_format invalid_channel
    invalid_charset invalid_cursor invalid_form_data invalid_json invalid_metadata_filter_keys
    invalid_metadata_format invalid_metadata_schema invalid_name invalid_post_type invalid_ts_latest
    invalid_ts_oldest invalid_user_combination is_archived is_inactive json_not_object
    list_record_comment_fetch_failed markdown_text_conflict max_file_sharing_exceeded message_not_found
    messages_tab_disabled metadata_must_be_sent_from_app metadata_too_large method_deprecated method_not_allowed
    method_not_supported_for_channel_type missing_argument missing_file_data missing_post_type missing_scope
    msg_blocks_too_long msg_too_long no_access no_dual_broadcast_content_update no_item_specified no_permission
    no_text not_allowed_token_type not_enough_users not_in_channel not_reactable posting_to_channel_denied
    restricted_action restricted_action_non_threadable_channel restricted_action_read_only_channel
    restricted_action_thread_locked restricted_action_thread_only_channel send_on_behalf_not_allowed
    slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked slack_connect_clip_sharing_blocked
    slack_connect_file_link_sharing_blocked slack_connect_file_upload_sharing_blocked
    slack_connect_lists_sharing_blocked snippet_too_large storage_limit_reached streaming_state_conflict
    team_access_not_granted team_not_found thread_locked thread_not_found too_many_attachments
    too_many_contact_cards too_many_emoji too_many_reactions too_many_users two_factor_setup_required
    unable_to_share_files unknown_method unknown_snippet_type unknown_subtype user_disabled user_not_found
    user_not_in_channel user_not_visible users_list_not_supplied
"""
NEVER = frozenset(LISTED.split())
"""Slack's other words for no, where we write and where we look up (from the public method reference, 2026-08-20)."""


async def yes(call: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
    """What Slack says with its yes to a call; raises FAILURES."""
    try:
        answer = await call
    except (AttributeError, ValueError) as stumbled:  # Its client does, over what is no JSON object.
        raise NoAnswer from stumbled
    if not isinstance(answer.data, dict) or answer.data.get("ok") is not True:
        raise NoAnswer
    return answer.data


def messages_of(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The messages of a page of history; raises NoAnswer where it has no list of them, not even an empty one.

    What is not seen is said once more, so half an answer must not be taken for an empty channel.
    """
    messages = page.get("messages")
    if not isinstance(messages, list):
        raise NoAnswer
    return messages


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known: `later`, after `wait`, and `never` are a sure no, `already` is as good as a yes.

    `unheard_of` and `unknown` leave it open, the former with a word of Slack's that is in no reference.
    """

    kind: Literal["later", "never", "already", "unheard_of", "unknown"]
    word: str
    wait: timedelta = timedelta()


class Known(OSError):
    """A failure of which it is known what became of what was tried."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.word)
        self.outcome = outcome


def of(failure: BaseException) -> Outcome:
    """What one of FAILURES says about the call."""
    if isinstance(failure, Known):
        return failure.outcome
    if not isinstance(failure, SlackApiError):
        return Outcome("unknown", type(failure).__name__)
    # The client hands on the bare answer of its HTTP library where it could not read it.
    answer: Any = failure.response
    status = getattr(answer, "status_code", None) or getattr(answer, "status", 0)
    word = _word(getattr(answer, "data", None)) if status in {200, 429} else ""
    if status == 429:
        return Outcome("later", word or "ratelimited", _told(answer.headers))
    return _of_word(word, answer.headers) if word else Outcome("unknown", str(status))


def _word(said: object) -> str:
    told = said if isinstance(said, Mapping) else {}
    return str(told.get("error") or "") if told.get("ok") is False else ""


def _of_word(word: str, headers: Mapping[str, str]) -> Outcome:
    if word in TRY_LATER:
        return Outcome("later", word, _told(headers))
    if word in OURS_TO_MEND:
        return Outcome("later", word, timedelta(seconds=UNTIL_MENDED_S))
    if word in ALREADY_SO:
        return Outcome("already", word)
    if word in UNKNOWN:
        return Outcome("unknown", word)
    return Outcome("never" if word in NEVER else "unheard_of", word)


def _told(headers: Mapping[str, str]) -> timedelta:
    given = str(headers.get("Retry-After") or "")
    return timedelta(seconds=max(1.0, float(given)) if given.isdecimal() else RETRY_S)
