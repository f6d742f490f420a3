/* The workspace's own time, and how to move it. */

import { act } from "./api.js";
import { byId, notify } from "./dom.js";
import { attempt } from "./messages.js";
import { botDirect, changed, isFromBot, messagesIn, now, store, takeNow, zone } from "./state.js";
import { dayAndTime, full, nextMorning } from "./time.js";

const EARLY_S = 120;
const DATE = /<!date\^(\d+)\^/g;
const ABOUT_MEETING = /meet|review|book|schedul|invit/i;

export function startClock() {
  byId("clock-tools").addEventListener("click", (event) => {
    const { advance, move } = event.target.closest("button")?.dataset ?? {};
    if (advance) moveTo(now() + Number(advance));
    if (move === "morning") moveTo(nextMorning(now(), zone()));
    if (move === "meeting") jumpToMeeting();
  });
  setInterval(drawClock, 1000);
}

export function drawClock() {
  const face = byId("clock-face");
  const shown = dayAndTime(now(), zone());
  if (face.textContent !== shown) face.textContent = shown;
  face.title = full(now(), zone());
  face.dateTime = new Date(now() * 1000).toISOString();
}

/* Move forward to that moment; the clock never goes back here. */
export async function moveTo(at) {
  const answer = await attempt(() => act("clock", { now: new Date(at * 1000).toISOString() }));
  if (!answer) return;
  takeNow(answer.now);
  drawClock();
  changed();
}

export async function jumpToMeeting() {
  const at = nextMeeting();
  if (at) await moveTo(Math.max(now() + 1, at - EARLY_S));
  else notify("No meeting is booked that this page can see. Book one first: /review schedule.");
}

/* The first future moment that the app's newest message about a meeting names, here or in the viewer's direct messages. */
export function nextMeeting() {
  const places = [store.place, botDirect()?.id].filter(Boolean);
  const said = places.flatMap(messagesIn).filter(isFromBot).sort((a, b) => b.ts.localeCompare(a.ts));
  const about = [...said.filter((message) => ABOUT_MEETING.test(textOf(message))), ...said];
  for (const message of about) {
    const ahead = datesIn(message).filter((at) => at > now());
    if (ahead.length) return Math.min(...ahead);
  }
  return null;
}

export const textOf = (message) => `${message.text ?? ""} ${JSON.stringify(message.blocks ?? [])} ${JSON.stringify(message.attachments ?? [])}`;
const datesIn = (message) => [...textOf(message).matchAll(DATE)].map((match) => Number(match[1]));
