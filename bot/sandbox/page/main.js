/* Puts the page together: what is loaded, what is drawn, and where a person goes. */

import * as api from "./api.js";
import { drawClock, startClock } from "./clock.js";
import { makeComposer } from "./composer.js";
import { button, byId, el, icon, notify, popup, reconcile } from "./dom.js";
import { drawGuide, reopenGuide, startGuide } from "./guide.js";
import { actionBar, attempt, avatar, drawMessages, goToEnd, hasActions, isApp, openThread, threadMessages, topLevel, watchEnd } from "./messages.js";
import { mrkdwn } from "./mrkdwn.js";
import {
  botDirect, changed, channelName, directs, humans, isMember, markRead, messagesIn, now, onChange, otherIn, personName, recall, remember, store,
  takeNow, takeState, unread, visibleChannels, zone,
} from "./state.js";
import { time } from "./time.js";
import { drawHome, drawViews, openHome, watchDialog } from "./views.js";

const SETTLE_MS = 60;
const LAST_FEW = 20;
const BAR_GAP_PX = 4;
const WIDE = matchMedia("(min-width: 60rem)");
let fresh = true;
let drawnThread = "";
let composer;
let threadComposer;

start();

async function start() {
  composer = makeComposer(byId("composer"), { id: "say", label: "Write a message", place: () => ({ channel: store.place, thread: "" }), sent: () => goToEnd(byId("log")) });
  threadComposer = makeComposer(byId("thread-composer"), { id: "reply", label: "Reply in this thread", place: () => ({ channel: store.place, thread: store.thread }), sent: () => goToEnd(byId("thread-log")) });
  byId("clock-button").prepend(icon("clock"));
  onChange(draw);
  watchEverything();
  startClock();
  // What changes while the page loads must be heard too: first the ear, then the eyes.
  api.listen(hear, comeAndGo);
}

async function comeAndGo(online) {
  store.online = online;
  if (online) await attempt(loadAll);
  if (online && !document.body.dataset.ready) {
    startGuide(writeFor);
    document.body.dataset.ready = "yes";
  }
  changed();
}

/* Words for somebody who has not pressed Enter yet, in the composer of that channel. */
function writeFor(text, channel) {
  closeThreadOnPhone();
  if (channel !== store.place) goTo({ channel });
  show("messages");
  queueMicrotask(() => composer.offer(text)); // the composer has been drawn for its channel by then
}

// Loading -----------------------------------------------------------------------------

async function loadAll() {
  takeState(await api.state());
  chooseViewer();
  await loadViewer();
}

function chooseViewer() {
  const wanted = recall("debrief.viewer", "");
  const incident = [...store.channels.values()].find((channel) => /^inc(ident)?-/.test(channel.name ?? ""));
  const first = store.people.has(wanted) ? wanted : incident?.members.find((id) => !isApp(id));
  store.viewer = first ?? humans()[0]?.id ?? store.bot;
  const place = recall("debrief.place", "");
  store.place = store.channels.has(place) ? place : (incident?.id ?? visibleChannels()[0]?.id ?? "");
}

/* Everything that this viewer may see. */
async function loadViewer() {
  const shown = [...visibleChannels(), ...directs()].map((channel) => channel.id);
  await Promise.all([...shown.map(loadMessages), loadViews(), loadHome()]);
  for (const id of shown) if (store.read[`${store.viewer} ${id}`] === undefined) markRead(id);
}

async function loadMessages(channel) {
  const viewer = store.viewer;
  const { messages } = await api.messages(channel, viewer);
  if (viewer === store.viewer) store.messages.set(channel, messages);
}

async function loadViews() {
  store.views = await api.views(store.viewer);
}

async function loadHome() {
  store.home = await api.home(store.viewer);
}

async function loadState() {
  takeState(await api.state());
}

/* Changes come in bursts: each thing is asked for once after the burst. */
const waiting = new Map();

function hear(change) {
  const key = JSON.stringify(change);
  if (waiting.has(key)) return;
  waiting.set(key, setTimeout(() => (waiting.delete(key), follow(change)), SETTLE_MS));
}

async function follow({ type, channel, user }) {
  if (user && user !== store.viewer) return;
  try {
    if (channel && !store.channels.has(channel)) await loadState();
    if (type === "channel" || type === "user") await loadState();
    if (channel && isSeen(channel)) await loadMessages(channel);
    if (type === "view") await loadViews();
    if (type === "home") await loadHome();
    if (type === "clock") takeNow((await api.clock()).now);
    changed();
  } catch (failure) {
    notify(failure.message);
  }
}

function isSeen(id) {
  const channel = store.channels.get(id);
  return channel?.kind === "channel" || isMember(channel);
}

// Drawing -----------------------------------------------------------------------------

function draw() {
  const direct = botDirect();
  const onHome = store.tab === "home" && store.place === direct?.id;
  if (!onHome && document.visibilityState === "visible") markRead(store.place);
  drawTop();
  drawSidebar();
  drawHead(onHome);
  byId("home").hidden = !onHome;
  byId("conversation").hidden = onHome;
  if (onHome) drawHome(byId("home"));
  else drawConversation();
  drawThread();
  drawViews();
  drawGuide();
  drawClock();
  composer.draw();
  threadComposer.draw();
}

function drawConversation() {
  const log = byId("log");
  drawMessages(log, topLevel(store.place), { fresh });
  const isEmpty = messagesIn(store.place).length === 0;
  byId("empty").hidden = !isEmpty;
  byId("empty").textContent = emptySentence();
  drawJoin();
  fresh = false;
}

function emptySentence() {
  const channel = store.channels.get(store.place);
  if (channel?.kind === "im") return `Nothing was said between you and ${channelName(store.place)} yet.`;
  return "Nothing was said here yet.";
}

function drawJoin() {
  const channel = store.channels.get(store.place);
  const outside = channel && !isMember(channel) && !channel.is_archived;
  byId("join").hidden = !outside;
  if (!outside) return;
  const join = () => attempt(() => api.act("join", { user: store.viewer, channel: channel.id }));
  byId("join").replaceChildren(el("span", {}, `${personName(store.viewer)} is not in #${channel.name}.`), button("Join", join, { class: "small primary" }));
}

function drawTop() {
  byId("offline").hidden = store.online;
  const name = personName(store.viewer);
  byId("viewer").replaceChildren(avatar(store.viewer, name, false), el("span", { class: "viewer-name" }, el("small", {}, "You look as"), el("strong", {}, name)), el("span", { "aria-hidden": "true" }, "▾"));
  byId("viewer").setAttribute("aria-label", `You look as ${name}. Choose somebody else.`);
}

function drawHead(onHome) {
  const channel = store.channels.get(store.place);
  const isDirect = ["im", "mpim"].includes(channel?.kind);
  byId("place-name").replaceChildren(isDirect ? "" : el("span", { class: "hash", "aria-hidden": "true" }, channel?.kind === "group" ? icon("lock") : "#"), channelName(store.place));
  const topic = channel?.topic?.value;
  byId("place-topic").replaceChildren(...(isDirect ? [] : [`${channel?.members.length ?? 0} members`, topic ? " · " : "", topic ? mrkdwn(topic) : ""]));
  const withApp = store.place === botDirect()?.id;
  byId("tabs").hidden = !withApp;
  for (const tab of byId("tabs").children) tab.setAttribute("aria-selected", String((tab.dataset.tab === "home") === onHome));
  document.title = `${isDirect ? "" : "#"}${channelName(store.place)} · Debrief sandbox`;
}

function drawThread() {
  const panel = byId("thread");
  const list = store.thread ? threadMessages(store.place, store.thread) : [];
  panel.hidden = list.length === 0;
  document.body.classList.toggle("with-thread", list.length > 0);
  const freshThread = store.thread !== drawnThread;
  drawnThread = store.thread;
  if (!list.length) return;
  drawMessages(byId("thread-log"), list, { inThread: true, fresh: freshThread });
  byId("thread-place").textContent = channelName(store.place);
  if (freshThread && WIDE.matches) threadComposer.field.focus({ preventScroll: true });
}

// Sidebar -----------------------------------------------------------------------------

function drawSidebar() {
  drawList("channels", visibleChannels().map((channel) => row(channel, channel.kind === "group" ? "lock" : "#")));
  const known = directs();
  const apart = known.some((channel) => otherIn(channel) === store.bot) ? [] : [{ id: "app", name: store.appName, user: store.bot, kind: "im", unread: 0 }];
  drawList("directs", [...apart, ...known.map((channel) => row(channel, ""))]);
}

function row(channel, sign) {
  return {
    id: channel.id,
    name: channelName(channel.id),
    sign,
    user: channel.kind === "im" ? otherIn(channel) : "",
    unread: unread(channel.id),
    here: channel.id === store.place,
    outside: !isMember(channel),
    archived: channel.is_archived,
  };
}

function drawList(id, rows) {
  reconcile(byId(id), rows, { key: (one) => one.id, signature: JSON.stringify, build: entry });
}

function entry(one) {
  const face = one.user ? avatar(one.user, one.name, isApp(one.user)) : el("span", { class: "hash", "aria-hidden": "true" }, one.sign === "lock" ? icon("lock") : one.sign);
  const count = one.unread > 0 && el("span", { class: "unread", "aria-label": `${one.unread} unread` }, one.unread > 99 ? "99+" : String(one.unread));
  const kind = [one.unread > 0 && "has-unread", one.outside && "outside", one.archived && "archived"].filter(Boolean).join(" ");
  const open = () => (one.id === "app" ? openApp() : goTo({ channel: one.id }));
  return el("li", {}, button([face, el("span", { class: "name" }, one.name), count], open, { class: kind, "aria-current": one.here ? "page" : null }));
}

/* The direct conversation with the app begins when somebody opens its Home. */
async function openApp() {
  await openHome();
  await loadState();
  const direct = botDirect();
  if (!direct) return;
  await loadMessages(direct.id);
  goTo({ channel: direct.id });
  show("home");
}

// Going places ------------------------------------------------------------------------

function goTo({ channel, ts, thread }) {
  if (channel !== store.place) store.thread = "";
  store.place = channel;
  store.editing = "";
  store.tab = "messages";
  remember("debrief.place", channel);
  fresh = true;
  closeDrawer();
  if (thread) openThread(thread);
  changed();
  if (ts) setTimeout(() => pointAt(ts, Boolean(thread)), SETTLE_MS);
}

function pointAt(ts, inThread) {
  const log = byId(inThread ? "thread-log" : "log");
  const node = log.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
  if (!node) return;
  node.scrollIntoView({ block: "center" });
  node.focus({ preventScroll: true });
  node.classList.add("pointed");
  setTimeout(() => node.classList.remove("pointed"), 2500);
}

function show(tab) {
  store.tab = tab;
  if (tab === "home") openHome();
  changed();
}

async function lookAs(id) {
  store.viewer = id;
  store.messages.clear();
  remember("debrief.viewer", id);
  store.thread = "";
  store.editing = "";
  store.tab = "messages";
  if (!isSeen(store.place)) store.place = visibleChannels()[0]?.id ?? "";
  fresh = true;
  await attempt(loadViewer);
  changed();
}

function chooseEyes() {
  const list = humans().map((person) => {
    const name = personName(person.id);
    const pick = () => (box.hidePopover(), lookAs(person.id));
    const said = el("span", {}, el("strong", {}, name), el("small", {}, person.profile?.title || `@${person.name}`));
    return button([avatar(person.id, name, false), said, el("time", {}, time(now(), zone(person.id)))], pick, { role: "menuitemradio", "aria-checked": String(person.id === store.viewer) });
  });
  const box = popup(byId("viewer"), "Whose eyes you look through", el("div", { class: "menu people", role: "menu" }, list));
}

function closeDrawer() {
  document.body.classList.remove("drawer-open");
  byId("drawer").setAttribute("aria-expanded", "false");
}

function toggleDrawer() {
  const open = document.body.classList.toggle("drawer-open");
  byId("drawer").setAttribute("aria-expanded", String(open));
  if (open) byId("sidebar").querySelector("button")?.focus();
}

function closeThread() {
  const ts = store.thread;
  store.thread = "";
  changed();
  byId("log").querySelector(`[data-ts="${CSS.escape(ts)}"] .thread-line`)?.focus({ preventScroll: true });
}

function closeThreadOnPhone() {
  if (store.thread && !WIDE.matches) closeThread();
}

// Listening to the person -------------------------------------------------------------

function watchEverything() {
  byId("viewer").addEventListener("click", chooseEyes);
  byId("drawer").addEventListener("click", toggleDrawer);
  byId("shade").addEventListener("click", closeDrawer);
  byId("thread-close").addEventListener("click", closeThread);
  byId("newer").addEventListener("click", () => goToEnd(byId("log")));
  byId("guide-again").addEventListener("click", reopenGuide);
  byId("tabs").addEventListener("click", (event) => event.target.dataset.tab && show(event.target.dataset.tab));
  byId("clock-button").addEventListener("click", () => toggleClock());
  document.addEventListener("debrief:go", (event) => goTo(event.detail));
  document.addEventListener("debrief:suggest-pin", suggestPin);
  document.addEventListener("keydown", keys);
  document.addEventListener("click", (event) => event.target.closest(".clock") || toggleClock(false));
  document.addEventListener("visibilitychange", changed);
  for (const id of ["log", "thread-log"]) watchLog(byId(id), id === "thread-log");
  watchDialog();
}

function toggleClock(open = byId("clock-button").getAttribute("aria-expanded") !== "true") {
  byId("clock-button").setAttribute("aria-expanded", String(open));
}

function keys(event) {
  if (event.key !== "Escape" || document.querySelector("dialog[open], .popup")) return;
  if (document.body.classList.contains("drawer-open")) closeDrawer();
  else if (byId("clock-button").getAttribute("aria-expanded") === "true") toggleClock(false);
  else if (store.thread) closeThread();
}

/* The action bar follows the pointer, the finger and the focus; arrows walk from message to message. */
function watchLog(log, inThread) {
  watchEnd(log);
  let finger = false;
  const bring = (event) => bringTools(event.target.closest?.(".message"), inThread);
  const lift = () => (finger = false);
  // Under a finger the bar comes after the tap: else the same tap would press what has just appeared.
  log.addEventListener("pointerdown", (event) => (finger = event.pointerType === "touch"));
  log.addEventListener("pointerover", (event) => event.pointerType === "touch" || bring(event));
  log.addEventListener("focusin", (event) => finger || bring(event));
  log.addEventListener("click", (event) => (lift(), bring(event)));
  log.addEventListener("pointercancel", lift);
  log.addEventListener("pointerleave", (event) => event.pointerType === "touch" || log.contains(document.activeElement) || log.querySelector(".tools")?.remove());
  log.addEventListener("keydown", (event) => walk(event, log));
  log.addEventListener("focus", () => lastMessage(log)?.focus({ preventScroll: true }));
}

const lastMessage = (log) => [...log.querySelectorAll(".message")].at(-1);

function bringTools(node, inThread) {
  if (!node || node.querySelector(":scope > .tools")) return;
  const message = messagesIn(store.place).find((one) => one.ts === node.dataset.ts);
  if (document.querySelector(".popup")) return;
  node.parentElement.querySelector(".tools")?.remove();
  if (!hasActions(message) || !isMember(store.channels.get(store.place))) return;
  const bar = actionBar(message, { inThread });
  node.append(bar);
  keepInSight(bar, node);
}

/* The head of a long message may be above the edge of the log: there its bar hangs from the edge. */
function keepInSight(bar, node) {
  const hidden = node.parentElement.getBoundingClientRect().top - bar.getBoundingClientRect().top;
  if (hidden > 0) bar.style.top = `${bar.offsetTop + hidden + BAR_GAP_PX}px`;
}

function walk(event, log) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !event.target.matches(".message")) return;
  const all = [...log.querySelectorAll(".message")];
  const next = all[all.indexOf(event.target) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/* The longest of the last things said that nobody pinned: a place to begin. */
function suggestPin() {
  const mine = (message) => message.reactions?.some((reaction) => reaction.name === "pushpin");
  const said = topLevel(store.place).filter((message) => hasActions(message) && message.user && !isApp(message.user) && !mine(message));
  const telling = said.slice(-LAST_FEW).sort((a, b) => b.text.length - a.text.length)[0];
  if (!telling) return notify("Open a channel in which people have said something.");
  goTo({ channel: store.place, ts: telling.ts });
}
