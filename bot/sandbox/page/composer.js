/* Where a person writes: messages, slash commands and mentions, with suggestions. */

import { act } from "./api.js";
import { el, icon } from "./dom.js";
import { toMarkup } from "./messages.js";
import { channelName, handle, humans, isMember, store } from "./state.js";

/* The verbs as the help of the bot lists them. */
const VERBS = {
  help: "the verbs in the order a review uses them",
  open: "[sev1…sev4] [title]: track this place as an incident",
  severity: "sev1…sev4",
  began: "[when]: it began",
  detected: "[when]: it was noticed",
  acknowledged: "[when]: somebody took it up",
  mitigated: "[when]: the harm stopped",
  resolved: "[when]: all is as usual",
  impact: "who felt it: a form",
  summary: "[text]: the one paragraph",
  event: "[when] text: add to the timeline",
  timeline: "the timeline in order",
  candidates: "messages worth adding",
  edit: "N text: correct event N",
  retime: "N when: move event N",
  drop: "N: take event N off",
  outcome: "N helped, no effect, worse or unknown",
  answer: "N text: the answer to the question at event N",
  comment: "N text: comment on event N",
  kind: "N KIND: re-sort event N",
  schedule: "[when]: propose or book the meeting",
  postpone: "[when] REASON: move the meeting",
  invite: "@name …: attendees",
  uninvite: "@name …",
  facilitator: "[@name]: who leads the meeting",
  scribe: "[@name]: who writes",
  owner: "@name: who answers for the review",
  lead: "@name",
  policy: "what this incident asks for here",
  "pre-read": "send it now",
  start: "open the meeting",
  next: "the next topic or stop",
  back: "the one before",
  go: "TOPIC",
  extend: "MINUTES",
  park: "TEXT: for later",
  reveal: "show what was gathered in silence",
  end: "end the meeting",
  contributor: "[technical, human or external:] text",
  mitigator: "[designed, improvised or luck:] text",
  risk: "text",
  learning: "[technical, process, communication or tooling:] text",
  dissent: "text",
  question: "text",
  action: "@owner [by DATE] [quick or long] text",
  actions: "[mine, open, overdue or all]",
  draft: "write the draft",
  approve: "the draft is right",
  publish: "[#channel]: share the summary",
  report: "[md, html, pdf or json]",
  search: "words",
  cancel: "REASON: a false alarm",
  skip: "REASON: no review wanted",
  held: "[when]: it was held without the app",
  reopen: "it broke again",
  close: "after publishing",
};
const MOST_SHOWN = 7;
const drafts = new Map();

/* A composer in `holder`; `place()` answers {channel, thread} as they are when something is sent; then `sent()` is called. */
export function makeComposer(holder, { id, place, label, sent }) {
  const list = el("ul", { class: "suggestions", role: "listbox", id: `${id}-suggestions`, hidden: true, "aria-label": "Suggestions" });
  const hint = el("div", { class: "composer-hint", role: "alert" });
  const field = el("textarea", {
    id, rows: 1, "aria-label": label, "aria-autocomplete": "list", "aria-controls": list.id, oninput: typed, onkeydown: keys, onblur: () => setTimeout(hide, 150),
  });
  const send = el("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send (Enter)" }, icon("send"));
  const form = el("form", { class: "composer-box", onsubmit: (event) => (event.preventDefault(), submit()) }, field, send);
  holder.replaceChildren(hint, list, form);
  let suggested = [];
  let at = 0;
  let drawnFor = "";

  function draw() {
    const { channel, thread } = place();
    const key = `${store.viewer} ${channel} ${thread}`;
    const shut = reasonToStayOut(channel);
    field.disabled = Boolean(shut);
    send.disabled = Boolean(shut) || !field.value.trim();
    field.placeholder = shut || (thread ? "Reply…" : `Message ${isDirect(channel) ? "" : "#"}${channelName(channel)}`);
    if (key === drawnFor) return;
    if (drawnFor) drafts.set(drawnFor, field.value);
    drawnFor = key;
    hint.replaceChildren();
    fill(drafts.get(key) ?? "", { focus: false });
  }

  function fill(text, { focus = true } = {}) {
    field.value = text;
    grow();
    send.disabled = field.disabled || !text.trim();
    hide();
    if (focus) field.focus();
  }

  /* Words that only wait for Enter; offered again, they say so. */
  function offer(text) {
    if (field.value.trim() === text) hint.replaceChildren(el("p", {}, "It is typed below: press Enter to send it."));
    else hint.replaceChildren();
    fill(text);
  }

  function typed() {
    grow();
    hint.replaceChildren();
    send.disabled = !field.value.trim();
    suggested = suggestionsFor(field.value.slice(0, field.selectionStart), Boolean(place().thread));
    at = 0;
    drawSuggestions();
  }

  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, 200)}px`;
  }

  function drawSuggestions() {
    list.hidden = suggested.length === 0;
    const active = (index) => index === at;
    list.replaceChildren(...suggested.map((one, index) =>
      el("li", { role: "option", id: `${list.id}-${index}`, "aria-selected": String(active(index)), onpointerdown: (event) => (event.preventDefault(), take(one)) },
        el("strong", {}, one.label), one.hint && el("span", {}, one.hint))));
    if (suggested.length) field.setAttribute("aria-activedescendant", `${list.id}-${at}`);
    else field.removeAttribute("aria-activedescendant");
  }

  function hide() {
    suggested = [];
    drawSuggestions();
  }

  function take(one) {
    const cursor = field.selectionStart;
    const before = field.value.slice(0, cursor - one.typed.length) + one.insert;
    field.value = before + field.value.slice(cursor);
    field.setSelectionRange(before.length, before.length);
    typed();
  }

  function keys(event) {
    if (event.isComposing) return;
    if (suggested.length && choosing(event)) return;
    if (event.key === "Enter" && !event.shiftKey) (event.preventDefault(), submit());
  }

  function choosing(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const one = suggested[at];
    if (step) at = (at + step + suggested.length) % suggested.length;
    else if (event.key === "Escape") hide();
    else if (event.key === "Tab" || (event.key === "Enter" && !one.isOptional)) take(one);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    drawSuggestions();
    return true;
  }

  async function submit() {
    const text = field.value.trim();
    if (!text || field.disabled) return;
    const target = place();
    if (text.startsWith("/") && target.thread) return refuseInThread(text);
    fill("");
    hint.replaceChildren();
    sent();
    drafts.delete(drawnFor);
    try {
      await deliver(text, target);
    } catch (failure) {
      if (!field.value) fill(text);
      hint.replaceChildren(el("p", {}, failure.message));
    }
  }

  function refuseInThread(text) {
    const [command, ...rest] = text.split(/\s+/);
    const instead = `@${store.appName} ${rest.join(" ")}`.trim();
    hint.replaceChildren(el("p", {},
      `${command} is not supported in threads. Sorry! `,
      el("button", { type: "button", class: "link", onclick: () => (hint.replaceChildren(), fill(instead)) }, `Write “${instead}” instead`)));
  }

  return { draw, offer, field };
}

const isDirect = (id) => ["im", "mpim"].includes(store.channels.get(id)?.kind);

function reasonToStayOut(id) {
  const channel = store.channels.get(id);
  if (!channel) return "Choose a channel";
  if (channel.is_archived) return "This channel is archived";
  return isMember(channel) ? "" : "Join this channel to write here";
}

async function deliver(text, { channel, thread }) {
  const who = { user: store.viewer, channel };
  if (!text.startsWith("/")) return act("message", { ...who, text: toMarkup(text), ...(thread ? { thread_ts: thread } : {}) });
  const [command, ...rest] = text.split(" ");
  document.dispatchEvent(new CustomEvent("debrief:command", { detail: { verb: rest[0] ?? "", text } }));
  return act("command", { ...who, command, text: toMarkup(rest.join(" ")) });
}

// Suggestions -------------------------------------------------------------------------

function suggestionsFor(before, inThread) {
  if (before.startsWith("/")) return inThread ? [] : afterSlash(before);
  const mention = /(^|\s)@(\S*)$/.exec(before);
  if (mention) return names(mention[2]);
  const asked = new RegExp(`^@${store.appName}\\s+(\\S*)$`, "i").exec(before);
  return asked ? verbs(asked[1]) : [];
}

function afterSlash(before) {
  const [command, ...rest] = before.split(" ");
  if (!rest.length) return store.commands.filter((one) => one.startsWith(command) && one !== command).map((one) => suggestion(one, "", command));
  if (!store.commands.includes(command)) return [];
  if (rest.length === 1) return verbs(rest[0]);
  const mention = /^@(\S*)$/.exec(rest.at(-1));
  return mention ? names(mention[1]) : [];
}

function verbs(typed) {
  const wanted = typed.toLowerCase();
  const found = Object.entries(VERBS).filter(([verb]) => verb.startsWith(wanted) && verb !== wanted);
  // `action` is whole, though `actions` begins with it: Enter must send it.
  const isOptional = wanted === "" || wanted in VERBS;
  return found.slice(0, MOST_SHOWN).map(([verb, hint]) => ({ ...suggestion(verb, hint, typed), isOptional }));
}

function names(typed) {
  const wanted = typed.toLowerCase();
  const everybody = [...humans(), ...[...store.people.values()].filter((person) => person.id === store.bot)];
  const fits = (person) => [handle(person), ...(person.real_name ?? "").split(" ")].some((name) => name.toLowerCase().startsWith(wanted));
  const found = everybody.filter((person) => fits(person) && handle(person).toLowerCase() !== wanted);
  return found.slice(0, MOST_SHOWN).map((person) => suggestion(`@${handle(person)}`, person.real_name, `@${typed}`));
}

const suggestion = (label, hint, typed) => ({ label, hint, typed, insert: `${label} ` });

