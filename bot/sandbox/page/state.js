/* What the page knows, and who is told when it changes. */

const READ = "debrief.read";
const SLACKBOT = "USLACKBOT";
const GOLDEN_ANGLE = 137.5;

export const store = {
  viewer: "",
  place: "",
  tab: "messages",
  thread: "",
  editing: "",
  people: new Map(),
  channels: new Map(),
  messages: new Map(),
  views: [],
  home: null,
  bot: "",
  appName: "Debrief",
  commands: ["/review"],
  shortcuts: [],
  offset: 0,
  online: true,
  read: recall(READ, {}),
  dismissed: new Set(recall("debrief.dismissed", [])),
};

const listeners = new Set();
let waiting = false;

export function onChange(listener) {
  listeners.add(listener);
}

/* Tell the listeners once, however many things changed in this moment. */
export function changed() {
  if (waiting) return;
  waiting = true;
  queueMicrotask(() => {
    waiting = false;
    for (const listener of listeners) listener();
  });
}

export function remember(key, value) {
  sessionStorage.setItem(key, JSON.stringify(value));
}

export function recall(key, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function takeState(state) {
  store.people = new Map(state.users.map((user) => [user.id, user]));
  store.channels = new Map(state.channels.map((channel) => [channel.id, channel]));
  store.bot = state.bot.user;
  store.appName = state.bot.app;
  store.commands = state.commands.length ? state.commands : ["/review"];
  store.shortcuts = state.shortcuts;
  takeNow(state.now);
}

export function takeNow(now) {
  store.offset = Date.parse(now) / 1000 - Date.now() / 1000;
}

export const now = () => Date.now() / 1000 + store.offset;

// People ------------------------------------------------------------------------------

export function personName(id) {
  const person = store.people.get(id);
  if (!person) return id === SLACKBOT ? "Sandbox" : id;
  return person.real_name || person.profile?.real_name || person.name;
}

export const handle = (person) => (person.id === store.bot ? store.appName : person.name);
export const zone = (id = store.viewer) => store.people.get(id)?.tz || "UTC";
export const isMember = (channel, user = store.viewer) => Boolean(channel?.members.includes(user));

export function humans() {
  const alive = [...store.people.values()].filter((person) => !person.is_bot && !person.deleted && person.id !== SLACKBOT);
  return alive.sort((a, b) => personName(a.id).localeCompare(personName(b.id)));
}

export function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

/* A hue in degrees, the same for the same person and far from that of the next one. */
export function hue(id) {
  const order = [...store.people.keys()].sort().indexOf(id);
  return Math.round(((order + 1) * GOLDEN_ANGLE) % 360);
}

// Conversations -----------------------------------------------------------------------

export function channelName(id) {
  const channel = store.channels.get(id);
  if (!channel) return id;
  if (channel.kind === "im") return personName(otherIn(channel));
  if (channel.kind === "mpim") return channel.members.filter((m) => m !== store.viewer).map(personName).join(", ");
  return channel.name;
}

export const otherIn = (channel) => channel.members.find((member) => member !== store.viewer) ?? store.viewer;

/* Public channels, and whatever else the viewer is in. */
export function visibleChannels() {
  const seen = [...store.channels.values()].filter((channel) => channel.kind === "channel" || isMember(channel));
  const named = seen.filter((channel) => channel.kind === "channel" || channel.kind === "group");
  return named.sort((a, b) => a.name.localeCompare(b.name));
}

export function directs() {
  const mine = [...store.channels.values()].filter((channel) => ["im", "mpim"].includes(channel.kind) && isMember(channel));
  const rank = (channel) => (channel.members.includes(store.bot) ? 0 : 1);
  return mine.sort((a, b) => rank(a) - rank(b) || channelName(a.id).localeCompare(channelName(b.id)));
}

export const botDirect = () => directs().find((channel) => channel.kind === "im" && otherIn(channel) === store.bot);

export function messagesIn(channel) {
  return (store.messages.get(channel) ?? []).filter((message) => !store.dismissed.has(message.ts));
}

export const isReply = (message) => Boolean(message.thread_ts && message.thread_ts !== message.ts);

export function dismiss(ts) {
  store.dismissed.add(ts);
  remember("debrief.dismissed", [...store.dismissed]);
  changed();
}

// What was read -----------------------------------------------------------------------

export function readUpTo(channel) {
  return store.read[`${store.viewer} ${channel}`];
}

export function markRead(channel) {
  const newest = messagesIn(channel).at(-1)?.ts ?? "0";
  if (readUpTo(channel) === newest) return;
  store.read[`${store.viewer} ${channel}`] = newest;
  remember(READ, store.read);
}

export function unread(channel) {
  const since = readUpTo(channel) ?? "0";
  return messagesIn(channel).filter((message) => message.ts > since && author(message) !== store.viewer).length;
}

export const author = (message) => message.user ?? message.bot_id ?? message.username ?? "";
export const isFromBot = (message) => message.user === store.bot;
