/* Building the page: every text goes in as a text node, never as markup. */

const AS_PROPERTY = new Set(["value", "checked", "disabled", "hidden", "open", "selected", "multiple", "tabIndex"]);

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  node.append(...children.flat(Infinity).filter(isThere));
  for (const [name, value] of Object.entries(attributes)) put(node, name, value);
  return node;
}

function isThere(child) {
  return child !== null && child !== undefined && child !== false && child !== "";
}

function put(node, name, value) {
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (AS_PROPERTY.has(name)) node[name] = value ?? "";
  else if (isThere(value)) node.setAttribute(name, value === true ? "" : value);
}

export function button(label, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, label);
}

const SVG = "http://www.w3.org/2000/svg";

/* Drawn here, because not every machine has a font with these signs. */
const ICONS = {
  pin: "M9 3h6l-1 6 4 4H6l4-4zM12 13v8",
  clipboard: "M8 5H6v16h12V5h-2M9 3h6v4H9zM9 12h6M9 16h4",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5c1.8 2.4 5.2 2.4 7 0M9 9.5v.5M15 9.5v.5",
  reply: "M4 5h16v11h-8l-5 4v-4H4z",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  send: "M4 12 20 5l-5 15-4-6zM11 14l9-9",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  image: "M4 5h16v14H4zM8 11a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM4 17l5-4 3 2 4-4 4 4",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
};

export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", ICONS[name]);
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", `drawn icon-${name}`);
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(line);
  return drawing;
}

export const byId = (id) => document.getElementById(id);

const signatures = new WeakMap();

/* Keep the children that did not change, so that focus, selection and what is half typed survive. */
export function reconcile(parent, items, { key, signature, build }) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = null;
  for (const item of items) {
    const node = settled(known.get(key(item)), item, { key, signature, build });
    known.delete(key(item));
    const place = before ? before.nextSibling : parent.firstChild;
    if (node !== place) parent.insertBefore(node, place);
    before = node;
  }
  for (const gone of known.values()) gone.remove();
}

function settled(old, item, { key, signature, build }) {
  const wanted = signature(item);
  if (old && signatures.get(old) === wanted) return old;
  const fresh = build(item);
  fresh.dataset.key = key(item);
  signatures.set(fresh, wanted);
  if (old) exchange(old, fresh);
  return fresh;
}

const FOCUSABLE = "a[href], button, input, select, textarea, [tabindex]";

/* Replace a node; the focus stays on what stands in the same place. */
export function exchange(old, fresh) {
  const index = [...old.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  const onItself = old === document.activeElement;
  old.replaceWith(fresh);
  const wanted = onItself ? fresh : index >= 0 && ([...fresh.querySelectorAll(FOCUSABLE)][index] ?? fresh);
  if (wanted) wanted.focus({ preventScroll: true });
}

/* A small floating box beside its anchor; a click elsewhere or Escape closes it. */
export function popup(anchor, label, ...content) {
  const box = el("div", { class: "popup", popover: "auto", role: "dialog", "aria-label": label }, ...content);
  (anchor.closest("dialog") ?? document.body).append(box);
  anchor.setAttribute("aria-expanded", "true");
  box.addEventListener("toggle", (event) => event.newState === "closed" && forget(anchor, box));
  box.showPopover();
  placeBeside(anchor, box);
  box.querySelector(FOCUSABLE)?.focus();
  return box;
}

function forget(anchor, box) {
  const inside = box.contains(document.activeElement) || document.activeElement === document.body;
  anchor.setAttribute("aria-expanded", "false");
  if (inside) anchor.focus({ preventScroll: true });
  box.remove();
}

function placeBeside(anchor, box) {
  const from = anchor.getBoundingClientRect();
  const left = Math.min(from.left, window.innerWidth - box.offsetWidth - 8);
  const below = from.bottom + 6;
  const fits = below + box.offsetHeight < window.innerHeight - 8;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${fits ? below : Math.max(8, from.top - box.offsetHeight - 6)}px`;
}

/* A sentence that says what went wrong, where the person is looking. */
export function notify(sentence) {
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  const place = open?.querySelector(".dialog-note") ?? byId("notices");
  const line = el("p", { class: "notice" }, sentence);
  place.replaceChildren(line);
  setTimeout(() => line.remove(), 9000);
}

/* Answers true when the person confirms; `confirm` is Slack's confirmation object. */
export function askToConfirm({ title, text, confirm, deny, style }, mrkdwn) {
  return new Promise((resolve) => {
    const close = (answer) => () => (dialog.close(), resolve(answer));
    const yes = button(confirm?.text ?? "Yes", close(true), { class: style === "danger" ? "danger" : "primary" });
    const dialog = el(
      "dialog",
      { class: "confirm", "aria-labelledby": "confirm-title", oncancel: () => resolve(false), onclose: () => dialog.remove() },
      el("h2", { id: "confirm-title" }, title?.text ?? "Are you sure?"),
      el("div", { class: "confirm-text" }, mrkdwn(text)),
      el("div", { class: "dialog-foot" }, button(deny?.text ?? "Cancel", close(false)), yes),
    );
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}
