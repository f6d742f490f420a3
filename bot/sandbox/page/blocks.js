/* Block Kit as nodes of the page. A `desk` says what elements do there:
   desk.act(block, element, value) uses one, desk.note(block, element, value) keeps what was filled in,
   desk.kept(block, element) is what stands in it now, desk.errors holds a sentence per block. */

import { el, icon } from "./dom.js";
import { control } from "./elements.js";
import { channelMention, emoji, link, mrkdwn, personMention, textObject } from "./mrkdwn.js";
import { now, zone } from "./state.js";
import { slackDate } from "./time.js";

const SAFE_COLOR = /^#[0-9a-f]{3,8}$/i;
const NAMED_COLOR = { good: "#2f9e6e", warning: "#d99a1c", danger: "#cf4a4a" };

const BUILDERS = {
  header: ({ text }) => el("h3", { class: "b-header" }, textObject(text)),
  divider: () => el("hr"),
  section,
  context: ({ elements }) => el("div", { class: "b-context" }, elements.map(contextPart)),
  actions: (block, desk) => el("div", { class: "b-actions" }, block.elements.map((element) => control(block, element, desk))),
  image: (block) => picture(block),
  input,
  markdown: ({ text }) => el("div", { class: "b-section" }, mrkdwn(text)),
  rich_text: ({ elements }) => el("div", { class: "b-rich" }, elements.map(rich)),
  file: () => el("p", { class: "b-context" }, "A file"),
  table: ({ rows }) => el("div", { class: "b-table" }, el("table", {}, rows.map(tableRow))),
};

export function blocks(list, desk) {
  return (list ?? []).map((block) => {
    const node = (BUILDERS[block.type] ?? unknown)(block, desk);
    node.dataset.block = block.block_id ?? "";
    return node;
  });
}

export function attachments(list, desk) {
  return (list ?? []).map((attachment) => {
    const bar = el("div", { class: "attachment" }, attachmentBody(attachment, desk));
    const color = NAMED_COLOR[attachment.color] ?? (attachment.color?.startsWith("#") ? attachment.color : `#${attachment.color}`);
    if (SAFE_COLOR.test(color)) bar.style.setProperty("--bar", color);
    return bar;
  });
}

function attachmentBody(attachment, desk) {
  if (attachment.blocks) return blocks(attachment.blocks, desk);
  const title = attachment.title && el("strong", {}, attachment.title_link ? link(attachment.title_link, attachment.title) : attachment.title);
  return [
    attachment.pretext && el("p", {}, mrkdwn(attachment.pretext)),
    attachment.author_name && el("p", { class: "b-context" }, attachment.author_name),
    title && el("p", {}, title),
    attachment.text ? el("p", {}, mrkdwn(attachment.text)) : !title && el("p", {}, mrkdwn(attachment.fallback)),
    attachment.fields && el("div", { class: "b-fields" }, attachment.fields.map(legacyField)),
    attachment.footer && el("p", { class: "b-context" }, attachment.footer),
  ];
}

const legacyField = ({ title, value }) => el("div", {}, el("strong", {}, title), el("br"), mrkdwn(value));

function section(block, desk) {
  const said = [
    block.text && el("div", { class: "b-text" }, textObject(block.text)),
    block.fields && el("div", { class: "b-fields" }, block.fields.map((field) => el("div", {}, textObject(field)))),
  ];
  if (!block.accessory) return el("div", { class: "b-section" }, said);
  const beside = block.accessory.type === "image" ? picture(block.accessory) : control(block, block.accessory, desk);
  return el("div", { class: "b-section b-beside" }, el("div", {}, said), beside);
}

function input(block, desk) {
  const id = `input-${block.block_id}`;
  const error = desk.errors?.[block.block_id];
  const described = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const grouped = ["checkboxes", "radio_buttons", "multi_users_select", "multi_static_select"].includes(block.element.type);
  const label = [textObject(block.label), block.optional && el("span", { class: "optional" }, " (optional)")];
  const field = control(block, block.element, desk, { id, described, invalid: Boolean(error), isInput: true });
  return el(
    grouped ? "fieldset" : "div",
    { class: error ? "b-input has-error" : "b-input", "aria-describedby": grouped ? described : null },
    grouped ? el("legend", {}, label) : el("label", { for: id }, label),
    field,
    error && el("p", { class: "error", id: `${id}-error`, role: "alert" }, error),
    block.hint && el("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint)),
  );
}

function contextPart(element) {
  return element.type === "image" ? picture(element) : el("span", {}, textObject(element));
}

/* Pictures of other hosts are not fetched: their words stand for them, as they do for a file that is gone. */
function picture({ alt_text: alt, title, slack_file: file }) {
  const words = el("figure", { class: "b-image" }, icon("image"), el("span", {}, title?.text ?? alt));
  const id = file?.id ?? /\/(F\w+)\//.exec(file?.url ?? "")?.[1];
  if (!id) return words;
  const shown = el("img", { class: "picture", src: `/files/${id}/picture`, alt });
  shown.addEventListener("error", () => shown.replaceWith(words));
  return shown;
}

const tableRow = (row) => el("tr", {}, row.map((cell) => el("td", {}, cell.elements ? rich(cell) : (cell.text ?? ""))));
const unknown = ({ type }) => el("p", { class: "b-context" }, `[${type}]`);

// Rich text ---------------------------------------------------------------------------

const RICH = {
  rich_text_section: (part) => el("div", {}, part.elements.map(run)),
  rich_text_quote: (part) => el("blockquote", {}, part.elements.map(run)),
  rich_text_preformatted: (part) => el("pre", {}, el("code", {}, part.elements.map(run))),
  rich_text_list: (part) => el(part.style === "ordered" ? "ol" : "ul", { class: `indent-${part.indent ?? 0}` }, part.elements.map((item) => el("li", {}, item.elements.map(run)))),
};

const rich = (part) => (RICH[part.type] ?? (() => el("div", {}, (part.elements ?? []).map(rich))))(part);

const RUNS = {
  text: ({ text }) => text.split("\n").flatMap((line, at) => (at ? [el("br"), line] : [line])),
  user: ({ user_id: id }) => personMention(id),
  channel: ({ channel_id: id }) => channelMention(id),
  emoji: ({ name }) => emoji(name),
  link: ({ url, text }) => link(url, text || url),
  broadcast: ({ range }) => el("span", { class: "mention mention-me" }, `@${range}`),
  date: ({ timestamp, format, fallback }) => slackDate(timestamp, format ?? "", { zone: zone(), now: now() }) || fallback,
  usergroup: ({ usergroup_id: id }) => el("span", { class: "mention" }, `@${id}`),
  color: ({ value }) => value,
};

function run(element) {
  const shown = (RUNS[element.type] ?? (() => element.text ?? ""))(element);
  const style = element.style ?? {};
  const tags = [style.bold && "strong", style.italic && "em", style.strike && "s", style.code && "code"].filter(Boolean);
  return tags.reduce((inner, tag) => el(tag, {}, inner), shown);
}
