/* Buttons, menus and fields. In an input they only keep what is filled in; elsewhere choosing is doing. */

import { askToConfirm, button, el, popup } from "./dom.js";
import { textObject } from "./mrkdwn.js";
import { channelName, humans, personName, store, visibleChannels, zone } from "./state.js";
import { epochOf, isoMinute } from "./time.js";

const TYPING_PAUSE_MS = 700;

/* The node for one element of a block; see blocks.js for the desk. */
export function control(block, element, desk, input = {}) {
  const kept = desk.kept?.(block, element);
  const field = {
    element,
    value: kept === undefined ? initial(element) : kept,
    label: element.placeholder?.text ?? element.accessibility_label ?? "",
    attributes: fieldAttributes(element, input),
    act: (value) => confirmed(element, () => desk.act(block, element, value)),
    change: (value) => {
      desk.note?.(block, element, value);
      if (!input.isInput || block.dispatch_action) return confirmed(element, () => desk.act(block, element, value));
      return undefined;
    },
  };
  return (BUILDERS[element.type] ?? unknown)(field);
}

function fieldAttributes(element, input) {
  return {
    id: input.id ?? null,
    "aria-describedby": input.described || null,
    "aria-invalid": input.invalid ? "true" : null,
    "aria-label": input.id ? null : (element.placeholder?.text ?? element.type.replaceAll("_", " ")),
    autofocus: element.focus_on_load ? true : null,
  };
}

async function confirmed(element, deed) {
  if (element.confirm && !(await askToConfirm(element.confirm, textObject))) return;
  await deed();
}

/* What an element holds before anybody touched it, in the simple form that the sandbox takes. */
export function initial(element) {
  return (
    element.initial_option?.value ??
    element.initial_options?.map((option) => option.value) ??
    element.initial_users ??
    element.initial_user ??
    element.initial_channels ??
    element.initial_channel ??
    element.initial_conversations ??
    element.initial_conversation ??
    element.initial_date ??
    element.initial_time ??
    element.initial_date_time ??
    element.initial_value ??
    null
  );
}

const BUILDERS = {
  button: pushButton,
  workflow_button: pushButton,
  overflow,
  static_select: (field) => menu(field, groupsOf(field.element)),
  external_select: (field) => menu(field, groupsOf(field.element)),
  users_select: (field) => menu(field, [{ options: people() }]),
  channels_select: (field) => menu(field, [{ options: places() }]),
  conversations_select: (field) => menu(field, [{ options: places() }]),
  multi_static_select: (field) => many(field, groupsOf(field.element).flatMap((group) => group.options)),
  multi_users_select: (field) => many(field, people()),
  multi_channels_select: (field) => many(field, places()),
  multi_conversations_select: (field) => many(field, places()),
  checkboxes: (field) => choices(field, "checkbox"),
  radio_buttons: (field) => choices(field, "radio"),
  datepicker: (field) => typed(field, "date"),
  timepicker: (field) => typed(field, "time"),
  datetimepicker,
  plain_text_input: textInput,
  rich_text_input: textInput,
  url_text_input: (field) => typed(field, "url"),
  email_text_input: (field) => typed(field, "email"),
  number_input: numberInput,
  image: ({ element }) => el("span", { class: "b-context" }, element.alt_text),
};

const unknown = ({ element }) => el("span", { class: "b-context" }, `[${element.type}]`);

function pushButton({ element, act }) {
  const node = button(textObject(element.text), press, { class: `block-button ${element.style ?? ""}`, "aria-label": element.accessibility_label });
  async function press() {
    if (node.getAttribute("aria-busy") === "true") return;
    if (/^https?:/.test(element.url ?? "")) window.open(element.url, "_blank", "noopener");
    node.setAttribute("aria-busy", "true");
    await act(element.value ?? "");
    node.removeAttribute("aria-busy");
  }
  return node;
}

function overflow({ element, act }) {
  const anchor = button("⋯", open, { class: "block-button overflow", "aria-label": "More choices", "aria-haspopup": "menu" });
  function open() {
    const entries = element.options.map((option) => button(textObject(option.text), () => (box.hidePopover(), act(option.value)), { role: "menuitem" }));
    const box = popup(anchor, "More choices", el("div", { class: "menu", role: "menu" }, entries));
  }
  return anchor;
}

// Menus -------------------------------------------------------------------------------

const groupsOf = (element) =>
  (element.option_groups ?? [{ options: element.options ?? (element.initial_option ? [element.initial_option] : []) }]).map((group) => ({
    label: group.label?.text,
    options: group.options.map(({ text, value, description }) => ({ value, text: text.text, description })),
  }));

const people = () => [...humans(), ...[...store.people.values()].filter((p) => p.id === store.bot)].map((p) => ({ value: p.id, text: personName(p.id) }));
const places = () => visibleChannels().map((channel) => ({ value: channel.id, text: `#${channelName(channel.id)}` }));

function menu({ value, label, attributes, change }, groups) {
  const lists = groups.map((group) => {
    const options = group.options.map((option) => el("option", { value: option.value, selected: option.value === value }, option.text));
    return group.label ? el("optgroup", { label: group.label }, options) : options;
  });
  const nothing = el("option", { value: "", selected: value === null }, label || "Choose");
  return el("select", { ...attributes, onchange: (event) => change(event.target.value || null) }, nothing, ...lists);
}

/* Many of a long list: a filter above boxes to tick, those ticked first. */
function many({ element, value, attributes, change }, options) {
  const chosen = new Set(value ?? []);
  const rows = [...options].sort((a, b) => chosen.has(b.value) - chosen.has(a.value)).map((option) => {
    const box = el("input", { type: "checkbox", value: option.value, checked: chosen.has(option.value), onchange: tick });
    return el("label", { class: "choice" }, box, el("span", {}, option.text));
  });
  const count = el("span", { class: "count", role: "status" });
  function tick(event) {
    if (event.target.checked) chosen.add(event.target.value);
    else chosen.delete(event.target.value);
    tell();
    change(options.map((option) => option.value).filter((one) => chosen.has(one)));
  }
  const tell = () => (count.textContent = chosen.size ? `${chosen.size} chosen` : "none chosen");
  tell();
  const { id, ...rest } = attributes;
  const filter = el("input", { ...rest, type: "search", id, placeholder: element.placeholder?.text ?? "Type to find", "aria-label": "Type to find", oninput: sift });
  function sift() {
    const wanted = filter.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }
  return el("div", { class: "many" }, el("div", { class: "many-head" }, options.length > 7 && filter, count), el("div", { class: "many-list" }, rows));
}

function choices({ element, value, change }, type) {
  const chosen = new Set([value ?? []].flat());
  const name = `${element.action_id}-${Math.random().toString(36).slice(2)}`;
  const boxes = element.options.map((option) => {
    const box = el("input", { type, name, value: option.value, checked: chosen.has(option.value), onchange: tick });
    const said = [textObject(option.text), option.description && el("span", { class: "hint" }, textObject(option.description))];
    return el("label", { class: "choice" }, box, el("span", {}, said));
  });
  const list = el("div", { class: "choices", role: type === "radio" ? "radiogroup" : "group" }, boxes);
  function tick() {
    const ticked = [...list.querySelectorAll("input:checked")].map((box) => box.value);
    change(type === "radio" ? (ticked[0] ?? null) : ticked);
  }
  return list;
}

// Fields ------------------------------------------------------------------------------

/* Native pickers tell of every key: wait for a pause before it counts as chosen. */
function typed({ element, value, attributes, change }, type, more = {}) {
  let timer = 0;
  let told = value ?? "";
  const tell = () => {
    clearTimeout(timer);
    if (node.value === told || !node.validity.valid) return;
    told = node.value;
    change(node.value || null);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(tell, TYPING_PAUSE_MS);
  };
  const node = el("input", { type, ...attributes, ...more, value: value ?? "", placeholder: element.placeholder?.text, oninput: soon, onchange: soon, onblur: tell });
  node.collect = tell;
  return node;
}

function datetimepicker(field) {
  const local = field.value ? isoMinute(field.value, zone()) : "";
  const change = (text) => field.change(text ? Math.round(epochOf(text, zone())) : null);
  return typed({ ...field, value: local, change }, "datetime-local");
}

function textInput({ element, value, attributes, change }) {
  const shared = {
    ...attributes,
    value: typeof value === "string" ? value : "",
    placeholder: element.placeholder?.text,
    maxlength: element.max_length ?? 3000,
    oninput: (event) => change(event.target.value || null),
  };
  if (element.multiline || element.type === "rich_text_input") return el("textarea", { rows: 4, ...shared });
  return el("input", { type: "text", ...shared });
}

function numberInput(field) {
  const { element } = field;
  return typed(field, "number", { min: element.min_value, max: element.max_value, step: element.is_decimal_allowed ? "any" : "1" });
}
