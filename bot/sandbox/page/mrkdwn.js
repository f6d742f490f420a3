/* Slack's markup as nodes of the page. */

import { button, el } from "./dom.js";
import { glyph } from "./emoji.js";
import { channelName, now, personName, store, zone } from "./state.js";
import { full, slackDate } from "./time.js";

const FENCE = /```([\s\S]+?)```/g;
const INLINE = [
  { pattern: /^`([^`\n]+)`/, build: (m) => el("code", {}, plain(m[1])) },
  { pattern: /^<([^<>\n]+)>/, build: (m) => token(m[1]) },
  { pattern: /^:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/, build: (m) => emoji(m[1]) },
  { pattern: styled("\\*"), build: (m) => el("strong", {}, inline(m[1])) },
  { pattern: styled("_"), build: (m) => el("em", {}, inline(m[1])) },
  { pattern: styled("~"), build: (m) => el("s", {}, inline(m[1])) },
];
const STARTS = /[`<:*_~\n]/;
const SAFE = /^(https?:\/\/|mailto:)/i;
const PERMALINK = /^https?:\/\/[^/]+\/archives\/(\w+)\/p(\d+)(\d{6})(?:\?thread_ts=([\d.]+))?/;

/* A mark opens before a letter and closes after one, as in Slack. */
function styled(mark) {
  return new RegExp(`^${mark}(?!\\s)([^\\n]*?[^\\s])${mark}(?![\\p{L}\\p{N}])`, "u");
}

export function mrkdwn(text) {
  const whole = document.createDocumentFragment();
  let position = 0;
  for (const match of (text ?? "").matchAll(FENCE)) {
    whole.append(...paragraphs(text.slice(position, match.index)));
    whole.append(el("pre", {}, el("code", {}, plain(match[1].replace(/^\n|\n$/g, "")))));
    position = match.index + match[0].length;
  }
  whole.append(...paragraphs((text ?? "").slice(position)));
  return whole;
}

/* A text object of Block Kit: its type says whether marks mean something. */
export function textObject(object) {
  if (!object) return "";
  return object.type === "mrkdwn" ? mrkdwn(object.text) : plainWithEmoji(object.text);
}

export function plainWithEmoji(text) {
  return (text ?? "").split(/(:[a-z0-9_+'-]+:)/).map((part) => (/^:.+:$/.test(part) ? emoji(part.slice(1, -1)) : part));
}

/* Runs of quoted lines become one quotation; the rest stays in lines. */
function paragraphs(text) {
  const nodes = [];
  let quoted = [];
  let lines = [];
  const flush = () => {
    if (quoted.length) nodes.push(el("blockquote", {}, inline(quoted.join("\n"))));
    if (lines.join("").trim()) nodes.push(...inline(lines.join("\n").replace(/^\n+|\n+$/g, "")));
    [quoted, lines] = [[], []];
  };
  const rows = text.split("\n");
  for (const [at, line] of rows.entries()) {
    if (/^(&gt;|>){3}/.test(line)) {
      flush();
      quoted = [line.replace(/^(&gt;|>){3} ?/, ""), ...rows.slice(at + 1)];
      break;
    }
    const isQuote = /^(&gt;|>)/.test(line);
    if (isQuote ? lines.length : quoted.length) flush();
    if (isQuote) quoted.push(line.replace(/^(&gt;|>) ?/, ""));
    else lines.push(line);
  }
  flush();
  return nodes;
}

function inline(text) {
  const nodes = [];
  let words = "";
  let rest = text;
  const flush = () => words && nodes.push(plain(words));
  while (rest) {
    const found = opensHere(words, rest) && firstMatch(rest);
    if (found) {
      flush();
      words = "";
      nodes.push(found.node);
      rest = rest.slice(found.length);
    } else if (rest[0] === "\n") {
      flush();
      words = "";
      nodes.push(el("br"));
      rest = rest.slice(1);
    } else {
      const next = rest.slice(1).search(STARTS) + 1 || rest.length;
      words += rest.slice(0, next);
      rest = rest.slice(next);
    }
  }
  flush();
  return nodes;
}

function opensHere(before, rest) {
  return "<:".includes(rest[0]) || !/[\p{L}\p{N}]$/u.test(before);
}

function firstMatch(rest) {
  for (const { pattern, build } of INLINE) {
    const match = pattern.exec(rest);
    if (match) return { node: build(match), length: match[0].length };
  }
  return null;
}

function token(inside) {
  if (inside[0] === "@") return personMention(inside.slice(1).split("|")[0]);
  if (inside[0] === "#") return channelMention(inside.slice(1).split("|")[0], inside.split("|")[1]);
  if (inside[0] === "!") return special(inside.slice(1));
  const [url, label] = splitOnce(inside, "|");
  return link(url.replaceAll("&amp;", "&"), label ? plain(label) : plain(url));
}

export function personMention(id) {
  return el("span", { class: id === store.viewer ? "mention mention-me" : "mention", "data-user": id }, `@${personName(id)}`);
}

export function channelMention(id, label) {
  const name = store.channels.has(id) ? channelName(id) : (label ?? "private channel");
  return button(`#${name}`, () => go({ channel: id }), { class: "mention", "data-channel": id });
}

function special(inside) {
  const [body, fallback] = splitOnce(inside, "|");
  if (body.startsWith("date^")) return date(body.split("^"), fallback);
  if (["here", "channel", "everyone"].includes(body)) return el("span", { class: "mention mention-me" }, `@${body}`);
  return el("span", { class: "mention" }, plain(fallback ?? body.replace(/^subteam\^/, "@")));
}

function date([, seconds, form, url], fallback) {
  const at = Number(seconds);
  if (!Number.isFinite(at)) return plain(fallback ?? "");
  const shown = slackDate(at, form ?? "", { zone: zone(), now: now() });
  const node = el("time", { datetime: new Date(at * 1000).toISOString(), title: full(at, zone()) }, shown);
  return url ? link(url, node) : node;
}

export function link(url, label) {
  const inside = PERMALINK.exec(url);
  if (inside && store.channels.has(inside[1])) {
    const [, channel, seconds, micro, thread] = inside;
    return button(label, () => go({ channel, ts: `${seconds}.${micro}`, thread }), { class: "link" });
  }
  if (!SAFE.test(url)) return label;
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

function go(where) {
  document.dispatchEvent(new CustomEvent("debrief:go", { detail: where }));
}

export function emoji(name) {
  const shown = glyph(name);
  if (shown.startsWith(":")) return shown;
  return el("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, shown);
}

/* Entities back to characters; the text node keeps them harmless. */
function plain(text) {
  return document.createTextNode(text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"));
}

function splitOnce(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

/* The same as one line of words, for previews and for the guide. */
export function words(text) {
  const holder = el("div", {}, mrkdwn(text));
  return holder.textContent.replace(/\s+/g, " ").trim();
}
