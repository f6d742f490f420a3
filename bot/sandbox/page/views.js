/* The forms that the app opens, and its Home tab. */

import { act } from "./api.js";
import { blocks } from "./blocks.js";
import { button, byId, el, exchange, notify } from "./dom.js";
import { plainWithEmoji } from "./mrkdwn.js";
import { attempt, chosen } from "./messages.js";
import { personName, store } from "./state.js";

const filled = new Map();
let drawn = "";

/* Show the topmost form of the viewer, or none. */
export function drawViews() {
  const dialog = byId("modal");
  const top = store.views.at(-1);
  const signature = top ? JSON.stringify([store.viewer, store.views.length, shape(top)]) : "";
  if (signature === drawn) return;
  drawn = signature;
  if (!top) return dialog.open && dialog.close();
  show(dialog, top);
}

/* What is filled in changes a view's state, but not how it looks. */
const shape = ({ id, blocks: list, title, submit, close, errors }) => ({ id, list, title, submit, close, errors });

function show(dialog, view) {
  const form = formOf(view);
  const old = dialog.querySelector("form");
  const same = dialog.dataset.view === view.id;
  if (old && same) exchange(old, form);
  else dialog.replaceChildren(form);
  dialog.dataset.view = view.id;
  if (!dialog.open) dialog.showModal();
  if (!same) focusFirst(dialog);
  dialog.querySelector("[aria-invalid=true]")?.focus();
}

function focusFirst(dialog) {
  const wanted = dialog.querySelector("[autofocus]") ?? dialog.querySelector(".modal-body :is(input, select, textarea)");
  (wanted ?? dialog.querySelector(".dialog-foot .primary") ?? dialog.querySelector("button"))?.focus();
}

function formOf(view) {
  const desk = viewDesk(view);
  const back = store.views.length > 1;
  const shut = () => closeView(view);
  const submit = view.submit && el("button", { type: "submit", class: "primary" }, plainWithEmoji(view.submit.text));
  return el(
    "form",
    { novalidate: true, onsubmit: (event) => submitView(event, view) },
    el("header", { class: "modal-head" },
      back && button("←", shut, { class: "icon", "aria-label": "Back" }),
      el("h2", { id: "modal-title" }, plainWithEmoji(view.title?.text)),
      button("✕", shut, { class: "icon", "aria-label": "Close" })),
    el("div", { class: "modal-body blocks" }, el("div", { class: "dialog-note", role: "alert" }), blocks(view.blocks, desk)),
    el("footer", { class: "dialog-foot" },
      button(plainWithEmoji(view.close?.text ?? (submit ? "Cancel" : "Close")), shut),
      submit),
  );
}

export function viewDesk(view) {
  const values = () => filled.get(view.id) ?? {};
  return {
    errors: view.errors,
    kept: (block, element) => values()[block.block_id]?.[element.action_id],
    note: (block, element, value) => {
      const all = values();
      filled.set(view.id, { ...all, [block.block_id]: { ...all[block.block_id], [element.action_id]: value } });
    },
    act: (block, element, value) => attempt(() => act("click", { user: store.viewer, view_id: view.id, action_id: element.action_id, ...chosen(value) })),
  };
}

async function submitView(event, view) {
  event.preventDefault();
  const form = event.target;
  const send = form.querySelector("button[type=submit]");
  if (!send || send.getAttribute("aria-busy") === "true") return;
  for (const field of form.querySelectorAll("input")) field.collect?.();
  const missing = view.blocks.find((block) => block.type === "input" && isMissing(block, view));
  if (missing) return sayMissing(form, missing);
  send.setAttribute("aria-busy", "true");
  const answer = await attempt(() => act("submit", { user: store.viewer, view_id: view.id, values: inputsOf(view) }));
  send.removeAttribute("aria-busy");
  if (answer && answer.answer?.response_action !== "errors") filled.delete(view.id);
}

/* Only what the form asks for: a button's click is told when it happens. */
function inputsOf(view) {
  const values = filled.get(view.id) ?? {};
  const asked = view.blocks.filter((block) => values[block.block_id]).map((block) => block.block_id);
  return Object.fromEntries(asked.map((id) => [id, values[id]]));
}

function isMissing(block, view) {
  if (block.optional) return false;
  const typed = filled.get(view.id)?.[block.block_id]?.[block.element.action_id];
  if (typed !== undefined) return typed === null || typed.length === 0;
  const { type: _, ...kept } = view.state?.values?.[block.block_id]?.[block.element.action_id] ?? {};
  return Object.values(kept).every((value) => value === null || value === "" || value.length === 0);
}

function sayMissing(form, block) {
  const holder = form.querySelector(`[data-block="${CSS.escape(block.block_id)}"]`);
  holder.classList.add("has-error");
  holder.querySelector(".error")?.remove();
  holder.append(el("p", { class: "error", role: "alert" }, "Please complete this field."));
  holder.querySelector("input, select, textarea, button")?.focus();
}

async function closeView(view) {
  filled.delete(view.id);
  await attempt(() => act("close", { user: store.viewer, view_id: view.id }));
}

/* Escape closes the topmost form, as its button would. */
export function watchDialog() {
  byId("modal").addEventListener("cancel", (event) => {
    event.preventDefault();
    const top = store.views.at(-1);
    if (top) closeView(top);
  });
}

// Home --------------------------------------------------------------------------------

let homeDrawn = "";

export function drawHome(place) {
  const signature = JSON.stringify([store.viewer, store.home?.id, store.home?.blocks]);
  if (signature === homeDrawn) return;
  homeDrawn = signature;
  const inside = store.home ? blocks(store.home.blocks, viewDesk(store.home)) : nothingYet();
  place.replaceChildren(el("div", { class: "home-page blocks" }, inside));
}

const nothingYet = () => el("p", { class: "empty" }, `${store.appName} has not put anything here for ${personName(store.viewer)} yet.`);

export async function openHome() {
  try {
    await act("home", { user: store.viewer });
  } catch (failure) {
    notify(failure.message);
  }
}
