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
  if (onItself) fresh.focus({ preventScroll: true });
  else if (index >= 0) [...fresh.querySelectorAll(FOCUSABLE)].at(Math.min(index, -1) === -1 ? -1 : index)?.focus({ preventScroll: true });
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
