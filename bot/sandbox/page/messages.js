/* Messages of a conversation, and what a person can do to one. */

import { act } from "./api.js";
import { attachments, blocks } from "./blocks.js";
import { button, el, icon, notify, popup, reconcile } from "./dom.js";
import { GLYPHS, OFFERED } from "./emoji.js";
import { emoji, mrkdwn, personMention } from "./mrkdwn.js";
import { author, changed, dismiss, hue, initials, isFromBot, isReply, messagesIn, now, personName, store, zone } from "./state.js";
import { dayAndTime, full, isoDay, longDay, relativeDay, time } from "./time.js";

const TOGETHER_S = 300;
const NEAR_PX = 40;
const kept = new Map();

/* Show the messages in the log: the newest stays in sight if it was. */
export function drawMessages(log, list, { inThread = false, fresh = false } = {}) {
  const rows = withDays(list, inThread);
  reconcile(log, rows, {
    key: (row) => row.key,
    signature: (row) => `${store.viewer} ${store.editing === row.message?.ts} ${JSON.stringify(row)}`,
    build: (row) => (row.message ? messageNode(row, inThread) : dayNode(row)),
  });
  if (fresh) log.dataset.atEnd = "yes";
  const newest = list.at(-1)?.ts ?? "";
  if (log.dataset.atEnd === "no" && newest > log.dataset.newest) log.dataset.newer = "yes";
  log.dataset.newest = newest;
  stayAtEnd(log);
  // What is drawn after the messages, such as the guide, takes room from them.
  requestAnimationFrame(() => stayAtEnd(log));
}

/* Whoever speaks wants to see the answer. */
export function goToEnd(log) {
  log.dataset.atEnd = "yes";
  stayAtEnd(log);
}

/* A log keeps its end in sight until somebody scrolls up from it; one that shrinks or grows was not scrolled. */
export function watchEnd(log) {
  let before = 0;
  log.addEventListener("scroll", () => {
    const left = log.scrollHeight - log.scrollTop - log.clientHeight;
    if (left < NEAR_PX) Object.assign(log.dataset, { atEnd: "yes", newer: "no" });
    else if (log.scrollTop < before) log.dataset.atEnd = "no";
    before = log.scrollTop;
  });
  new ResizeObserver(() => stayAtEnd(log)).observe(log);
  // A picture is higher once it is there; that it is does not bubble.
  log.addEventListener("load", () => stayAtEnd(log), true);
}

function stayAtEnd(log) {
  if (log.dataset.atEnd !== "yes") return;
  log.dataset.newer = "no";
  log.scrollTop = log.scrollHeight;
}

function withDays(list, inThread) {
  const rows = [];
  let before = null;
  for (const message of list) {
    const at = Number(message.ts);
    const newDay = !before || isoDay(Number(before.ts), zone()) !== isoDay(at, zone());
    if (newDay && !inThread) rows.push({ key: `day-${isoDay(at, zone())}`, at, near: relativeDay(at, zone(), now()) });
    rows.push({ key: message.ts, message, compact: !newDay && belongsTo(before, message) });
    before = message;
  }
  return rows;
}

/* What one person says in one breath stands under one name; what apps say is long, and each stands alone. */
function belongsTo(before, message) {
  const close = Number(message.ts) - Number(before.ts) < TOGETHER_S;
  const byPerson = message.user && !isApp(message.user) && author(before) === author(message);
  return close && byPerson && !isNote(before) && !isNote(message) && !before.reply_count;
}

const dayNode = ({ at, near }) =>
  el("h3", { class: "day" }, el("span", {}, near ? near[0].toUpperCase() + near.slice(1) : longDay(at, zone())));

const NOTES = /^(channel|group)_(join|leave|topic|purpose|name|archive|unarchive|convert)/;
const isNote = (message) => NOTES.test(message.subtype ?? "");

function messageNode({ message, compact }, inThread) {
  if (isNote(message)) return noteNode(message);
  const kind = [compact && "compact", message.is_ephemeral && "ephemeral", message.subtype === "tombstone" && "tombstone"].filter(Boolean).join(" ");
  const node = el(
    "article",
    { class: `message ${kind}`, tabindex: "-1", "aria-label": `${nameOf(message)}, ${dayAndTime(Number(message.ts), zone())}`, "data-ts": message.ts },
    message.is_ephemeral && ephemeralNote(message),
    compact ? el("span", { class: "gutter", "aria-hidden": "true" }, time(Number(message.ts), zone())) : avatarOf(message),
    el("div", { class: "message-body" }, !compact && headOf(message), contentOf(message), underneath(message, inThread)),
  );
  return node;
}

function noteNode(message) {
  const said = message.text.startsWith("<@") ? mrkdwn(message.text) : [personMention(message.user), " ", mrkdwn(message.text)];
  return el("div", { class: "note", "data-ts": message.ts }, el("p", {}, said, timeOf(message)));
}

function ephemeralNote(message) {
  return el("p", { class: "only-you" }, "Only visible to you · ", button("Dismiss", () => dismiss(message.ts), { class: "link" }));
}

function nameOf(message) {
  if (message.subtype === "tombstone") return "Deleted message";
  return message.user ? personName(message.user) : (message.username ?? message.bot_profile?.name ?? "An app");
}

export function avatar(id, name, isApp) {
  const node = el("span", { class: isApp ? "avatar app" : "avatar", "aria-hidden": "true" }, initials(name));
  node.style.setProperty("--hue", hue(id));
  return node;
}

export const isApp = (id) => Boolean(store.people.get(id)?.is_bot);

function avatarOf(message) {
  return avatar(author(message), nameOf(message), !message.user || isApp(message.user));
}

function headOf(message) {
  const app = (!message.user || isApp(message.user)) && message.subtype !== "tombstone";
  return el("p", { class: "message-head" }, el("strong", {}, nameOf(message)), app && el("span", { class: "badge" }, "app"), timeOf(message));
}

function timeOf(message) {
  const at = Number(message.ts);
  return el("time", { class: "stamp", datetime: new Date(at * 1000).toISOString(), title: full(at, zone()) }, time(at, zone()));
}

// What a message says -----------------------------------------------------------------

function contentOf(message) {
  if (store.editing === message.ts) return editor(message);
  if (message.subtype === "tombstone") return el("p", { class: "words" }, "This message was deleted.");
  const desk = messageDesk(message);
  const hasLayout = message.blocks?.some((block) => block.type !== "rich_text");
  const edited = message.edited && !isFromBot(message) && el("span", { class: "edited", title: full(Number(message.edited.ts), zone()) }, " (edited)");
  const richOnly = !message.text && message.blocks?.length;
  return [
    hasLayout || richOnly ? el("div", { class: "blocks" }, blocks(message.blocks, desk), edited) : message.text && el("div", { class: "words" }, mrkdwn(message.text), edited),
    message.attachments && attachments(message.attachments, desk),
    message.files && el("div", { class: "files" }, message.files.map(fileChip)),
  ];
}

function fileChip(file) {
  if (file.mode === "tombstone") return el("span", { class: "file" }, "This file was deleted.");
  return file.mimetype?.startsWith("image/") && file.url_private ? picture(file) : chip(file);
}

function chip(file) {
  const size = file.size ? ` · ${humanSize(file.size)}` : "";
  const said = [icon("file"), el("span", {}, el("strong", {}, file.title ?? file.name), el("small", {}, `${file.pretty_type ?? file.filetype ?? "file"}${size}`))];
  if (!file.url_private || file.is_external) return el("span", { class: "file" }, said);
  return el("a", { class: "file", href: new URL(file.url_private, location.href).pathname, download: file.name }, said);
}

function picture(file) {
  const shown = el("img", { class: "picture", src: new URL(file.url_private, location.href).pathname, alt: file.alt_txt ?? file.title ?? file.name });
  // Of a seed's pictures only the names are there.
  shown.addEventListener("error", () => shown.replaceWith(chip(file)));
  return shown;
}

function humanSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function messageDesk(message) {
  const key = (block, element) => `${store.viewer} ${message.ts} ${block.block_id} ${element.action_id}`;
  return {
    act: (block, element, value) => use(message, element, value),
    note: (block, element, value) => kept.set(key(block, element), value),
    kept: (block, element) => kept.get(key(block, element)),
  };
}

async function use(message, element, value) {
  await attempt(() => act("click", { user: store.viewer, channel: message.channel ?? store.place, ts: message.ts, action_id: element.action_id, ...chosen(value) }));
}

/* The sandbox takes one `value` or a list of `values`. */
export const chosen = (value) => (Array.isArray(value) ? { values: value } : { value });

/* Do something; say so where it fails. */
export async function attempt(deed) {
  try {
    return await deed();
  } catch (failure) {
    notify(failure.message);
    return null;
  }
}

// Reactions and threads ---------------------------------------------------------------

function underneath(message, inThread) {
  return [
    message.reactions && el("div", { class: "reactions" }, message.reactions.map((reaction) => reactionChip(message, reaction)), addReaction(message)),
    !inThread && message.reply_count > 0 && threadLine(message),
    !inThread && isReply(message) && el("p", { class: "b-context" }, button("in a thread", () => openThread(message.thread_ts), { class: "link" })),
  ];
}

function reactionChip(message, { name, users, count }) {
  const mine = users.includes(store.viewer);
  const who = users.map(personName).join(", ");
  return button([emoji(name), el("span", {}, String(count))], () => toggleReaction(message, name), {
    class: "reaction",
    "aria-pressed": String(mine),
    "aria-label": `${name.replaceAll("_", " ")}, ${count}: ${who}`,
    title: `${who} reacted with :${name}:`,
  });
}

function addReaction(message) {
  return button(icon("smile"), (event) => pickEmoji(event.currentTarget, message), { class: "reaction add", "aria-label": "Add an emoji", title: "Add an emoji" });
}

export async function toggleReaction(message, name) {
  const held = message.reactions?.find((reaction) => reaction.name === name)?.users.includes(store.viewer);
  await attempt(() => act(held ? "unreact" : "react", { user: store.viewer, channel: store.place, ts: message.ts, emoji: name }));
}

function threadLine(message) {
  const faces = (message.reply_users ?? []).slice(0, 4).map((id) => avatar(id, personName(id), isApp(id)));
  const count = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  const last = el("span", { class: "stamp" }, `last ${dayAndTime(Number(message.latest_reply), zone())}`);
  return button([el("span", { class: "faces" }, faces), el("strong", {}, count), last], () => openThread(message.ts), { class: "thread-line" });
}

export function openThread(ts) {
  store.thread = ts;
  changed();
}

export const threadMessages = (channel, ts) => messagesIn(channel).filter((message) => message.ts === ts || message.thread_ts === ts);
export const topLevel = (channel) => messagesIn(channel).filter((message) => !isReply(message) || message.subtype === "thread_broadcast");

// Actions on a message ----------------------------------------------------------------

/* One bar for all messages: it goes where the pointer or the focus is. */
export function actionBar(message, { inThread }) {
  const own = message.user === store.viewer && message.subtype !== "tombstone";
  const tools = [
    tool("pin", "Put on the timeline (pushpin)", () => toggleReaction(message, "pushpin")),
    tool("clipboard", "Propose an action (clipboard)", () => toggleReaction(message, "clipboard")),
    tool("smile", "Add an emoji", (event) => pickEmoji(event.currentTarget, message)),
    !inThread && tool("reply", "Reply in thread", () => openThread(message.thread_ts ?? message.ts)),
    tool("more", "More actions", (event) => moreActions(event.currentTarget, message, own)),
  ];
  return el("div", { class: "tools", role: "toolbar", "aria-label": "Message actions" }, tools);
}

const tool = (sign, label, onclick) => button(icon(sign), onclick, { "aria-label": label, title: label });

export const hasActions = (message) => message && !message.is_ephemeral && message.subtype !== "tombstone" && !isNote(message);

function pickEmoji(anchor, message) {
  const filter = el("input", { type: "search", placeholder: "Find an emoji by name", "aria-label": "Find an emoji by name", oninput: show });
  const grid = el("div", { class: "emoji-grid" });
  const choose = (name) => (box.hidePopover(), toggleReaction(message, name));
  function show() {
    const wanted = filter.value.trim().toLowerCase().replaceAll(":", "").replaceAll(" ", "_");
    const names = wanted ? [...GLYPHS.keys()].filter((name) => name.includes(wanted)) : OFFERED;
    grid.replaceChildren(...names.map((name) => button(emoji(name), () => choose(name), { "aria-label": name.replaceAll("_", " "), title: `:${name}:`, "data-emoji": name })));
  }
  show();
  const box = popup(anchor, "Emoji", filter, grid);
  filter.onkeydown = (event) => event.key === "Enter" && grid.firstChild?.click();
}

function moreActions(anchor, message, own) {
  const entry = (label, deed, kind = "") => button(label, () => (box.hidePopover(), deed()), { role: "menuitem", class: kind });
  const shortcuts = store.shortcuts.filter((shortcut) => shortcut.type === "message");
  const entries = [
    ...shortcuts.map((shortcut) => entry([shortcut.name, el("small", {}, store.appName)], () => runShortcut(message, shortcut))),
    own && entry("Edit message", () => startEditing(message)),
    own && entry("Delete message", () => remove(message), "danger-text"),
  ];
  const box = popup(anchor, "More actions", el("div", { class: "menu", role: "menu" }, entries.filter(Boolean).length ? entries.filter(Boolean) : el("p", { class: "hint" }, "Nothing more for this message.")));
}

const where = (message) => ({ user: store.viewer, channel: store.place, ts: message.ts });
const runShortcut = (message, { callback_id }) => attempt(() => act("shortcut", { ...where(message), callback_id }));
const remove = (message) => attempt(() => act("delete", where(message)));

function startEditing(message) {
  store.editing = message.ts;
  changed();
  setTimeout(() => document.querySelector(".editor textarea")?.focus());
}

function editor(message) {
  const stop = () => ((store.editing = ""), changed());
  const field = el("textarea", { rows: 2, value: unescaped(message.text), "aria-label": "Edit message", onkeydown: keys });
  async function save() {
    if (await attempt(() => act("edit", { ...where(message), text: toMarkup(field.value) }))) stop();
  }
  function keys(event) {
    if (event.key === "Escape") stop();
    if (event.key === "Enter" && !event.shiftKey) (event.preventDefault(), save());
  }
  return el("div", { class: "editor" }, field, el("div", { class: "dialog-foot" }, button("Cancel", stop), button("Save", save, { class: "primary" })));
}

/* What is typed, as Slack sends it: marks escaped, names as ids. */
export function toMarkup(text) {
  const harmless = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return harmless.replace(/(^|[^\w@&])@([\p{L}\p{N}][\p{L}\p{N}._-]*)/gu, (whole, before, name) => {
    const bare = name.replace(/[._-]+$/, "");
    const id = personCalled(bare);
    return id ? `${before}<@${id}>${name.slice(bare.length)}` : whole;
  });
}

function personCalled(name) {
  const wanted = name.toLowerCase();
  if (wanted === store.appName.toLowerCase()) return store.bot;
  const named = (person) => [person.name, person.id].some((known) => known.toLowerCase() === wanted);
  return [...store.people.values()].find(named)?.id;
}

function unescaped(text) {
  const named = (text ?? "")
    .replace(/<@(\w+)(?:\|[^>]*)?>/g, (whole, id) => `@${store.people.get(id)?.name ?? id}`)
    .replace(/<#(\w+)(?:\|[^>]*)?>/g, (whole, id) => `#${store.channels.get(id)?.name ?? id}`);
  return named.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
