/* Five steps through one review. A step ticks itself when the page sees that it happened. */

import { jumpToMeeting, nextMeeting, textOf } from "./clock.js";
import { button, byId, el } from "./dom.js";
import { isFromBot, now, recall, remember, store, visibleChannels } from "./state.js";

const KEY = "debrief.guide";
const MEETING_SOON_S = 15 * 60;

/* Each part says what to do, may offer words for the composer (`fill`) or a deed (`press`), and knows when it is done. */
const STEPS = [
  {
    title: "Pin a moment",
    parts: [{ say: "Point at a message that mattered and press 📌. It becomes an event on the timeline.", show: true, seen: () => pins() > guide.pins }],
  },
  {
    title: "Say that it is mitigated",
    parts: [{ say: "Tell Debrief that the harm has stopped. From then on it thinks about the review.", fill: "/review mitigated", seen: () => heard(/mitigated/i) }],
  },
  {
    title: "Book the meeting",
    parts: [
      { say: "Ask for a time, then press Book under the proposal.", fill: "/review schedule", seen: () => nextMeeting() !== null && heard(/booked|meets|scheduled/i) },
      { say: "It is booked. Jump to two minutes before it.", press: ["Jump to the meeting", jumpToMeeting], seen: () => nearMeeting() },
    ],
  },
  {
    title: "Run it",
    parts: [
      { say: "Open the meeting, confirm, and press Next to walk through the topics.", fill: "/review start", seen: () => heard(/agenda|opening/i) },
      { say: "Note what made it possible or worse.", fill: "/review contributor technical: four times the connections per pod, and no limit in front of the database", seen: () => heard(/contributor/i) },
      { say: "Note an action with one owner.", fill: "/review action @ifeoma quick Alert when orders-db uses 80% of its connections", seen: () => heard(/action/i) },
    ],
  },
  {
    title: "End, draft, publish",
    parts: [
      { say: "End the meeting and confirm.", fill: "/review end", seen: () => heard(/ended/i) },
      { say: "Let Debrief write the draft.", fill: "/review draft", seen: () => heard(/draft/i) },
      { say: "Publish it and confirm.", fill: "/review publish", seen: () => heard(/published/i) },
    ],
  },
];

const guide = recall(KEY, { since: "", pins: 0, done: [], shut: false, wide: false });
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

/* Parts are ticked in their order: what an earlier part says must have happened first. */
function tickOff() {
  if (!guide.since) return;
  for (const [step, { parts }] of STEPS.entries()) {
    for (const [part, { seen }] of parts.entries()) {
      const name = `${step}.${part}`;
      if (guide.done.includes(name)) continue;
      if (!seen()) return;
      guide.done.push(name);
      guide.since = newest() ?? guide.since;
      remember(KEY, guide);
    }
  }
}

function current() {
  for (const [step, { parts }] of STEPS.entries()) {
    const part = parts.findIndex((_, index) => !guide.done.includes(`${step}.${index}`));
    if (part >= 0) return { step, part };
  }
  return { step: STEPS.length, part: 0 };
}

// What happened -----------------------------------------------------------------------

const everything = () => visibleChannels().map((channel) => channel.id).concat([...store.messages.keys()]).filter((id, at, all) => all.indexOf(id) === at).flatMap((id) => store.messages.get(id) ?? []);
const newest = () => everything().map((message) => message.ts).sort().at(-1);
const heard = (pattern) => everything().some((message) => isFromBot(message) && latest(message) > guide.since && pattern.test(textOf(message)));
const latest = (message) => (message.edited?.ts > message.ts ? message.edited.ts : message.ts);

/* Every person's pushpin on every message. */
const pins = () => everything().flatMap((message) => message.reactions ?? []).filter((reaction) => reaction.name.startsWith("pushpin")).reduce((sum, reaction) => sum + reaction.count, 0);

function nearMeeting() {
  const at = nextMeeting();
  return at !== null && at - now() < MEETING_SOON_S;
}

// The card ----------------------------------------------------------------------------

function card(step, part) {
  const { title, parts } = STEPS[step];
  return [
    el("div", { class: "guide-head" }, dots(step), el("strong", {}, `${step + 1} of ${STEPS.length} · ${title}`),
      button("✕", () => change({ shut: true }), { class: "icon", "aria-label": "Put the guide away", title: "Put the guide away" })),
    el("div", { class: "guide-body" }, el("p", { role: "status" }, parts[part].say, said(parts[part])), doIt(parts[part])),
    button(guide.wide ? "Fewer" : "All steps", () => change({ wide: !guide.wide }), { class: "link guide-all", "aria-expanded": String(guide.wide) }),
    guide.wide && el("ol", { class: "guide-list" }, STEPS.map((one, index) => listed(one, index, step))),
  ].filter(Boolean);
}

const dots = (step) => el("span", { class: "dots", "aria-hidden": "true" }, STEPS.map((_, index) => el("i", { class: index < step ? "done" : index === step ? "here" : "" })));
const said = ({ fill }) => fill && [" Type ", el("code", {}, fill), "."];

function doIt({ fill, press, show }) {
  if (fill) return button("Do it for me", () => fillComposer(fill), { class: "small", title: "Puts the words into the composer; you press Enter" });
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
