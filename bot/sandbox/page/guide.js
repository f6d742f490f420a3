/* Five steps through one review, read from what stands in the channel: whoever opens the page sees how far it is. */

import { jumpToMeeting } from "./clock.js";
import { button, byId, el } from "./dom.js";
import { humans, isFromBot, isMember, now, recall, remember, store } from "./state.js";

const KEY = "debrief.guide";
const MEETING_SOON_S = 15 * 60;
const MOST_SHOWN = 64;
const PHONE = matchMedia("(max-width: 60rem)");
const BEGINNING = /is now followed as an incident|is open again, and I read along/;
const MEETS = /(?:meets (?:on )?|moves .*?to )\*?<!date\^(\d+)\^/;
const BOOKED = new RegExp(`${MEETS.source}|Booked for|The meeting is planned for`);

/* Each part says what to do, may offer words for the composer (`fill`) or a deed (`press`), and knows when it is done.
   What is `free` can be done at any time; any other part, once done, leaves all before it behind. */
const STEPS = [
  {
    title: "Pin a moment",
    parts: [{ say: "Point at a message that mattered and press the pin. It becomes an event on the timeline.", show: true, free: true, seen: () => isPinned() }],
  },
  {
    title: "Say that it is mitigated",
    parts: [{ say: "The harm has stopped: say so, and the review is planned from here.", fill: "/review mitigated", seen: () => heard(/Mitigated at|\*Mitigated\* (is|stands|now)/) }],
  },
  {
    title: "Book the meeting",
    parts: [
      { say: "Ask for an hour, then book the first one under the answer.", fill: "/review schedule", seen: () => heard(BOOKED) },
      { say: "It is booked. Go there, two minutes before it begins.", press: ["Jump to the meeting", jumpToMeeting], seen: () => isNearMeeting() },
    ],
  },
  {
    title: "Run it",
    parts: [
      { say: "Open the meeting, and press “Yes, start”.", fill: "/review start", seen: () => heard(/\*\d+ of \d+ · /) },
      { say: "The agenda stands in the channel. Press Next under it to walk from topic to topic.", seen: () => heard(/\*([2-9]|\d\d) of \d+ · |meeting has ended/) },
      { say: "Say in a few plain sentences what happened.", free: true, fill: "/review summary Checkout crawled for three and a half hours, because v318 took four times the connections. Fewer pods gave air, going back to v317 ended it.", seen: () => heard(/The summary (is|says)/) },
      { say: "Note what made it possible, or worse.", free: true, fill: "/review contributor technical: four times the connections per pod, and no limit in front of the database", seen: () => heard(/Noted as contributor/i) },
      { say: "Note an action with one owner.", free: true, fill: () => `/review action @${owner()} quick Alert when orders-db uses 80% of its connections`, seen: () => heard(/Action \d+ is proposed/) },
    ],
  },
  {
    title: "End, draft, publish",
    parts: [
      { say: "End the meeting, and press “Yes, end the meeting”.", fill: "/review end", seen: () => heard(/[Tt]he meeting (has ended|is closed)/) },
      { say: "Let the first version of the report be written from what was noted.", free: true, fill: "/review draft", seen: () => heard(/The draft for/) },
      { say: "Share its first page in the channel, and press “Yes, publish”.", fill: "/review publish", seen: () => heard(/published this report|The report is published|The review is closed/) },
    ],
  },
];

/* `incident` and `done` keep what only one person was told, while others look; the channel tells the rest. */
const guide = recall(KEY, { incident: "", done: [], shut: false, wide: false });
let fillComposer = () => {};
let drawn = "";

/* `fill` puts words into the composer of a channel. */
export function startGuide(fill) {
  fillComposer = fill;
  PHONE.addEventListener("change", drawGuide);
}

export function drawGuide() {
  tickOff();
  const place = byId("guide");
  const { step, part } = current();
  const signature = JSON.stringify([guide, step, part, PHONE.matches]);
  if (signature === drawn) return;
  drawn = signature;
  place.hidden = guide.shut;
  place.classList.toggle("wide", guide.wide);
  byId("guide-again").hidden = !guide.shut;
  place.replaceChildren(...(step < STEPS.length ? card(step, part) : farewell()));
}

export function reopenGuide() {
  change({ shut: false });
}

function change(what) {
  Object.assign(guide, what);
  remember(KEY, guide);
  drawGuide();
}

function tickOff() {
  const { channel, since } = incident();
  const name = since && `${channel} ${since}`;
  if (name && name !== guide.incident) Object.assign(guide, { incident: name, done: [] });
  for (const [index, { seen, free }] of PARTS.entries()) {
    if (!seen()) continue;
    if (!free) tick(0, index);
    tick(index, index + 1);
  }
  remember(KEY, guide);
}

function tick(from, to) {
  for (let index = from; index < to; index++) if (!guide.done.includes(index)) guide.done.push(index);
}

const PARTS = STEPS.flatMap(({ parts }, step) => parts.map((one, part) => ({ ...one, step, part })));

function current() {
  return PARTS.find((_, index) => !guide.done.includes(index)) ?? { step: STEPS.length, part: 0 };
}

// What happened -----------------------------------------------------------------------

/* The newest incident of the open channel, else the newest of all: its channel, and the time stamp of its beginning. */
function incident() {
  const begun = (channel) => ({ channel, since: latestOf(channel, BEGINNING)?.ts ?? "" });
  const here = begun(store.place);
  if (here.since) return here;
  const all = [...store.messages.keys()].map(begun).filter(({ since }) => since);
  return all.sort((a, b) => b.since.localeCompare(a.since))[0] ?? here;
}

const latestOf = (channel, pattern) => saidByApp(channel).filter((message) => pattern.test(message.text ?? "")).at(-1);
const saidByApp = (channel) => (store.messages.get(channel) ?? []).filter(isFromBot);
const changedAt = (message) => (message.edited?.ts > message.ts ? message.edited.ts : message.ts);

function sinceItBegan() {
  const { channel, since } = incident();
  return saidByApp(channel).filter((message) => changedAt(message) > since);
}

const heard = (pattern) => sinceItBegan().some((message) => pattern.test(message.text ?? ""));

/* A pushpin counts once the app has confirmed it. */
function isPinned() {
  const reacted = (message, name, user) => message.reactions?.some((one) => one.name.startsWith(name) && (!user || one.users.includes(user)));
  return (store.messages.get(incident().channel) ?? []).some((message) => reacted(message, "pushpin") && reacted(message, "memo", store.bot));
}

/* By the newest message that says when the meeting is, though that hour may have passed. */
function isNearMeeting() {
  const said = sinceItBegan().map((message) => MEETS.exec(message.text ?? "")).filter(Boolean).at(-1);
  return Boolean(said) && Number(said[1]) - now() < MEETING_SOON_S;
}

/* Somebody else than the viewer, by the name that people type. */
const owner = () => humans().find((person) => person.id !== store.viewer && isMember(store.channels.get(incident().channel), person.id))?.name ?? "me";

// The card ----------------------------------------------------------------------------

function card(step, part) {
  const { title, parts } = STEPS[step];
  return [
    el("div", { class: "guide-head" }, dots(step), el("strong", {}, `${step + 1} of ${STEPS.length} · ${title}`),
      button(toggleLabel(), () => change({ wide: !guide.wide }), { class: "link guide-all", "aria-expanded": String(guide.wide) }),
      button("✕", () => change({ shut: true }), { class: "icon", "aria-label": "Put the guide away", title: "Put the guide away" })),
    el("div", { class: "guide-body" }, el("p", { role: "status" }, parts[part].say, said(parts[part])), doIt(parts[part])),
    guide.wide && el("ol", { class: "guide-list" }, STEPS.map((one, index) => listed(one, index, step))),
  ].filter(Boolean);
}

function toggleLabel() {
  if (PHONE.matches) return guide.wide ? "Less" : "More";
  return guide.wide ? "Fewer" : "All steps";
}

const dots = (step) => el("span", { class: "dots", "aria-hidden": "true" }, STEPS.map((_, index) => el("i", { class: index < step ? "done" : index === step ? "here" : "" })));
const wordsOf = ({ fill }) => (typeof fill === "function" ? fill() : fill);
const said = (part) => part.fill && [" Type ", el("code", {}, shortened(wordsOf(part)))];
const shortened = (text) => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN).trimEnd()}…` : text);

function doIt(part) {
  const { fill, press, show } = part;
  if (fill) return button("Type it for me", () => fillComposer(wordsOf(part), incident().channel), { class: "small", title: "Puts the words into the composer; you press Enter" });
  if (press) return button(press[0], press[1], { class: "small" });
  return show && button("Show me one", () => document.dispatchEvent(new CustomEvent("debrief:suggest-pin")), { class: "small" });
}

function listed({ title }, index, step) {
  const done = index < step;
  return el("li", { class: done ? "done" : index === step ? "here" : "" }, done ? "✓ " : "", title);
}

function farewell() {
  return [
    el("div", { class: "guide-head" }, dots(STEPS.length), el("strong", {}, "That was a whole review"),
      button("✕", () => change({ shut: true }), { class: "icon", "aria-label": "Put the guide away" })),
    el("div", { class: "guide-body" }, el("p", { role: "status" }, "From a pinned message to a published summary. Look at it through somebody else's eyes, or move the clock and see who is reminded.")),
  ];
}
