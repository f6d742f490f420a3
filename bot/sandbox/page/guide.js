/* Five steps through one review. A step ticks itself when the page sees that it happened. */

import { jumpToMeeting, nextMeeting } from "./clock.js";
import { button, byId, el } from "./dom.js";
import { humans, isFromBot, isMember, now, recall, remember, store } from "./state.js";

const KEY = "debrief.guide";
const MEETING_SOON_S = 15 * 60;
const MOST_SHOWN = 64;

/* Each part says what to do, may offer words for the composer (`fill`) or a deed (`press`), and knows when it is done. */
const STEPS = [
  {
    title: "Pin a moment",
    parts: [{ say: "Point at a message that mattered and press the pin. It becomes an event on the timeline.", show: true, seen: () => pins() > guide.pins }],
  },
  {
    title: "Say that it is mitigated",
    parts: [{ say: "The harm has stopped: say so, and the review is planned from here.", fill: "/review mitigated", seen: () => heard(/Mitigated at/) }],
  },
  {
    title: "Book the meeting",
    parts: [
      { say: "Ask for an hour, then press Book it under the answer.", fill: "/review schedule", seen: () => heard(/Booked for|meets on \*/) },
      { say: "It is booked. Go there, two minutes before it begins.", press: ["Jump to the meeting", jumpToMeeting], seen: () => nearMeeting() },
    ],
  },
  {
    title: "Run it",
    parts: [
      { say: "Open the meeting, and press “Yes, start”.", fill: "/review start", seen: () => heard(/\*\d+ of \d+ · /) },
      { say: "The agenda stands in the channel. Press Next under it to walk from topic to topic.", seen: () => heard(/\*([2-9]|\d\d) of \d+ · |meeting has ended/) },
      { say: "Say in a few plain sentences what happened.", fill: "/review summary Checkout crawled for three and a half hours, because v318 took four times the connections. Fewer pods gave air, going back to v317 ended it.", seen: () => heard(/The summary (is|says)/) },
      { say: "Note what made it possible, or worse.", fill: "/review contributor technical: four times the connections per pod, and no limit in front of the database", seen: () => heard(/Noted as contributor/i) },
      { say: "Note an action with one owner.", fill: () => `/review action @${owner()} quick Alert when orders-db uses 80% of its connections`, seen: () => heard(/Action \d+ is proposed/) },
    ],
  },
  {
    title: "End, draft, publish",
    parts: [
      { say: "End the meeting, and press “Yes, end the meeting”.", fill: "/review end", seen: () => heard(/The meeting (has ended|is closed)/) },
      { say: "Let the first version of the report be written from what was noted.", fill: "/review draft", seen: () => heard(/The draft for/) },
      { say: "Share its first page in the channel, and press “Yes, publish”.", fill: "/review publish", seen: () => heard(/published this report|The report is published/) },
    ],
  },
];

const guide = recall(KEY, { since: "", pins: 0, meets: 0, done: [], shut: false, wide: false });
let fillComposer = () => {};
let drawn = "";

/* `fill` puts words into the composer of the open channel. */
export function startGuide(fill) {
  fillComposer = fill;
  if (guide.since) return;
  guide.since = everything().map((message) => message.ts).sort().at(-1) ?? "0";
  guide.pins = pins();
  remember(KEY, guide);
}

export function drawGuide() {
  tickOff();
  const place = byId("guide");
  const { step, part } = current();
  const signature = JSON.stringify([guide, step, part]);
  if (signature === drawn) return;
  drawn = signature;
  place.hidden = guide.shut;
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

/* A review need not go in this order: each part is ticked when it happens. */
function tickOff() {
  if (!guide.since) return;
  const booked = nextMeeting();
  if (booked) guide.meets = booked;
  for (const [step, { parts }] of STEPS.entries()) {
    for (const [part, { seen }] of parts.entries()) {
      const name = `${step}.${part}`;
      if (!guide.done.includes(name) && seen()) guide.done.push(name);
    }
  }
  remember(KEY, guide);
}

function current() {
  for (const [step, { parts }] of STEPS.entries()) {
    const part = parts.findIndex((_, index) => !guide.done.includes(`${step}.${index}`));
    if (part >= 0) return { step, part };
  }
  return { step: STEPS.length, part: 0 };
}

// What happened -----------------------------------------------------------------------

const everything = () => [...store.messages.values()].flat();
const heard = (pattern) => everything().some((message) => isFromBot(message) && latest(message) > guide.since && pattern.test(message.text ?? ""));
const latest = (message) => (message.edited?.ts > message.ts ? message.edited.ts : message.ts);

/* Every person's pushpin on every message. */
const pins = () => everything().flatMap((message) => message.reactions ?? []).filter((reaction) => reaction.name.startsWith("pushpin")).reduce((sum, reaction) => sum + reaction.count, 0);

const nearMeeting = () => guide.meets > 0 && guide.meets - now() < MEETING_SOON_S;

/* Somebody else than the viewer, by the name that people type. */
const owner = () => humans().find((person) => person.id !== store.viewer && isMember(store.channels.get(store.place), person.id))?.name ?? "me";

// The card ----------------------------------------------------------------------------

function card(step, part) {
  const { title, parts } = STEPS[step];
  return [
    el("div", { class: "guide-head" }, dots(step), el("strong", {}, `${step + 1} of ${STEPS.length} · ${title}`),
      button(guide.wide ? "Fewer" : "All steps", () => change({ wide: !guide.wide }), { class: "link guide-all", "aria-expanded": String(guide.wide) }),
      button("✕", () => change({ shut: true }), { class: "icon", "aria-label": "Put the guide away", title: "Put the guide away" })),
    el("div", { class: "guide-body" }, el("p", { role: "status" }, parts[part].say, said(parts[part])), doIt(parts[part])),
    guide.wide && el("ol", { class: "guide-list" }, STEPS.map((one, index) => listed(one, index, step))),
  ].filter(Boolean);
}

const dots = (step) => el("span", { class: "dots", "aria-hidden": "true" }, STEPS.map((_, index) => el("i", { class: index < step ? "done" : index === step ? "here" : "" })));
const wordsOf = ({ fill }) => (typeof fill === "function" ? fill() : fill);
const said = (part) => part.fill && [" Type ", el("code", {}, shortened(wordsOf(part)))];
const shortened = (text) => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN).trimEnd()}…` : text);

function doIt(part) {
  const { fill, press, show } = part;
  if (fill) return button("Do it for me", () => fillComposer(wordsOf(part)), { class: "small", title: "Puts the words into the composer; you press Enter" });
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
