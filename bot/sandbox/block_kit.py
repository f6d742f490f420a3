"""Which blocks and elements there are and which keys they may carry (public Block Kit reference, 2026-11)."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.json_kinds import OBJECTS


@dataclass(frozen=True)
class Kind:
    """Keys of a block or element beside `type`: those it needs and those it may have."""

    needs: frozenset[str]
    may: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        return self.needs | self.may | {"type"}


def _kind(needs: str, may: str = "") -> Kind:
    return Kind(frozenset(needs.split()), frozenset(may.split()))


def _block(needs: str, may: str = "") -> Kind:
    return _kind(needs, may + " block_id")


def _menu(needs: str, may: str = "") -> Kind:
    return _kind(needs, may + " action_id confirm focus_on_load placeholder")


BLOCKS = {
    "actions": _block("elements"),
    "alert": _block("text", "level"),
    "card": _block("", "actions body hero_image icon subtitle title"),
    "carousel": _block("elements"),
    "context": _block("elements"),
    "context_actions": _block("elements"),
    "divider": _block(""),
    "file": _block("external_id source"),
    "header": _block("text"),
    "image": _block("alt_text", "image_url slack_file title"),
    "input": _block("label element", "dispatch_action hint optional"),
    "markdown": _block("text"),
    "rich_text": _block("elements"),
    "section": _block("", "text fields accessory expand"),
    "table": _block("rows", "column_settings"),
    "video": _block(
        "alt_text thumbnail_url title video_url", "author_name description provider_icon_url provider_name title_url"
    ),
}

IN_MODAL = frozenset(
    {"actions", "context", "divider", "header", "image", "input", "rich_text", "section", "video", "alert"}
)
IN_HOME = IN_MODAL
IN_MESSAGE = frozenset(BLOCKS) - {"input"} | {"input"}

ELEMENTS = {
    "button": _kind("text", "action_id url value style confirm accessibility_label"),
    "channels_select": _menu("", "initial_channel response_url_enabled"),
    "checkboxes": _menu("options", "initial_options"),
    "conversations_select": _menu(
        "", "initial_conversation default_to_current_conversation response_url_enabled filter"
    ),
    "datepicker": _menu("", "initial_date"),
    "datetimepicker": _menu("", "initial_date_time"),
    "email_text_input": _menu("", "initial_value dispatch_action_config"),
    "external_select": _menu("", "initial_option min_query_length"),
    "feedback_buttons": _kind("positive_button negative_button", "action_id"),
    "file_input": _menu("", "filetypes max_files"),
    "icon_button": _kind("icon text", "action_id value confirm accessibility_label visible_to_user_ids"),
    "image": _kind("alt_text", "image_url slack_file"),
    "multi_channels_select": _menu("", "initial_channels max_selected_items"),
    "multi_conversations_select": _menu(
        "", "initial_conversations default_to_current_conversation max_selected_items filter"
    ),
    "multi_external_select": _menu("", "initial_options min_query_length max_selected_items"),
    "multi_static_select": _menu("", "options option_groups initial_options max_selected_items"),
    "multi_users_select": _menu("", "initial_users max_selected_items"),
    "number_input": _menu("is_decimal_allowed", "initial_value min_value max_value dispatch_action_config"),
    "overflow": _kind("options", "action_id confirm"),
    "plain_text_input": _menu("", "initial_value multiline min_length max_length dispatch_action_config"),
    "radio_buttons": _menu("options", "initial_option"),
    "rich_text_input": _menu("", "initial_value dispatch_action_config"),
    "static_select": _menu("", "options option_groups initial_option"),
    "timepicker": _menu("", "initial_time timezone"),
    "url_text_input": _menu("", "initial_value dispatch_action_config"),
    "users_select": _menu("", "initial_user"),
    "workflow_button": _kind("text workflow", "action_id style accessibility_label"),
}

# Kinds of values by the name of their key; `text` is an object here and a string there.
KINDS_OF_KEYS = {
    **dict.fromkeys(("accessory", "element", "label", "hint", "placeholder", "initial_option"), dict),
    **dict.fromkeys(("submit", "close", "confirm", "deny", "filter", "dispatch_action_config"), dict),
    **dict.fromkeys(("elements", "fields", "options", "option_groups", "initial_options", "blocks"), OBJECTS),
    **dict.fromkeys(("type", "block_id", "action_id", "alt_text", "image_url", "url"), str),
    **dict.fromkeys(("callback_id", "private_metadata", "external_id", "initial_date"), str),
}

TEXTS = {"plain_text": frozenset({"type", "text", "emoji"}), "mrkdwn": frozenset({"type", "text", "verbatim"})}
OPTION = frozenset({"text", "value", "description", "url"})
CONFIRM = frozenset({"title", "text", "confirm", "deny", "style"})

IN_SECTION = frozenset(ELEMENTS) - {
    "plain_text_input",
    "email_text_input",
    "url_text_input",
    "number_input",
    "file_input",
}
IN_ACTIONS = IN_SECTION - {"image"}
IN_INPUT = frozenset(ELEMENTS) - {"button", "overflow", "image", "icon_button", "feedback_buttons", "workflow_button"}

VIEW_KEYS = frozenset(
    [
        "type",
        "title",
        "blocks",
        "close",
        "submit",
        "private_metadata",
        "callback_id",
        "clear_on_close",
        "notify_on_close",
        "external_id",
        "submit_disabled",
    ]
)
HOME_KEYS = frozenset(["type", "blocks", "private_metadata", "callback_id", "external_id"])
