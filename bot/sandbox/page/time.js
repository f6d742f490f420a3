/* Moments in somebody's zone; seconds since 1970 everywhere. */

const formats = new Map();

export function format(at, zone, options) {
  const key = `${zone} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }));
  return formats.get(key).format(at * 1000);
}

const TIME = { hour: "2-digit", minute: "2-digit" };
const DAY = { weekday: "short", day: "numeric", month: "short" };
const LONG_DAY = { weekday: "long", day: "numeric", month: "long" };
const DATE = { day: "numeric", month: "short", year: "numeric" };

export const time = (at, zone) => format(at, zone, TIME);
export const day = (at, zone) => format(at, zone, DAY);
export const longDay = (at, zone) => format(at, zone, LONG_DAY);
export const dayAndTime = (at, zone) => `${day(at, zone)}, ${time(at, zone)}`;
export const full = (at, zone) => `${format(at, zone, { ...LONG_DAY, year: "numeric" })} at ${format(at, zone, { ...TIME, second: "2-digit" })} (${zone})`;

/* 2026-11-20 in that zone: what a date input holds, and what says whether two moments share a day. */
export function isoDay(at, zone) {
  const [d, m, y] = format(at, zone, { day: "2-digit", month: "2-digit", year: "numeric" }).split("/");
  return `${y}-${m}-${d}`;
}

export const isoMinute = (at, zone) => `${isoDay(at, zone)}T${time(at, zone)}`;

export function relativeDay(at, zone, now) {
  const days = Math.round((Date.parse(isoDay(at, zone)) - Date.parse(isoDay(now, zone))) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? null;
}

/* The moment that a clock on the wall of that zone shows as `local`, 2026-11-20T14:05. */
export function epochOf(local, zone) {
  const guess = Date.parse(`${local}Z`) / 1000;
  const first = guess - offset(guess, zone);
  return guess - offset(first, zone);
}

function offset(at, zone) {
  return Date.parse(`${isoDay(at, zone)}T${format(at, zone, { ...TIME, second: "2-digit" })}Z`) / 1000 - Math.floor(at);
}

/* 09:00 of the next day there. */
export function nextMorning(now, zone) {
  const today = epochOf(`${isoDay(now, zone)}T09:00`, zone);
  return now < today ? today : epochOf(`${isoDay(today + 86_400, zone)}T09:00`, zone);
}

/* Slack's <!date^…> format string, for a reader in that zone. */
export function slackDate(at, form, { zone, now }) {
  const words = {
    date_num: isoDay(at, zone),
    date_slash: format(at, zone, { day: "2-digit", month: "2-digit", year: "numeric" }),
    date: format(at, zone, { day: "numeric", month: "long", year: "numeric" }),
    date_short: format(at, zone, DATE),
    date_long: format(at, zone, { ...LONG_DAY, year: "numeric" }),
    date_long_full: format(at, zone, { ...LONG_DAY, year: "numeric" }),
    day_divider_pretty: longDay(at, zone),
    time: time(at, zone),
    time_secs: format(at, zone, { ...TIME, second: "2-digit" }),
    ago: ago(at, now),
  };
  const near = relativeDay(at, zone, now);
  return form.replace(/\{(\w+?)(_pretty)?\}/g, (whole, name, pretty) => {
    if (words[name + (pretty ?? "")]) return words[name + (pretty ?? "")];
    return (pretty && near) || words[name] || whole;
  });
}

function ago(at, now) {
  const minutes = Math.round((now - at) / 60);
  if (Math.abs(minutes) < 60) return minutes >= 0 ? `${minutes} minutes ago` : `in ${-minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours >= 0 ? `${hours} hours ago` : `in ${-hours} hours`;
}
