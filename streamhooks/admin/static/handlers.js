// The handlers: how each stands, and pausing and resuming it.

import { call } from "./api.js";
import { ask, field, line } from "./dialog.js";
import { button, byId, h, say, toast } from "./dom.js";
import { count, counted, latency, rate, time } from "./format.js";

const NAMES = ["Handler", "State", "Per second", "p50", "p99", "In flight", "Delivered", "Failed attempts", ""];
const rows = new Map();
const about = new Map(); // what the configuration says of each
let body = null;

/** Draws them; elements stay, so that focus and selection do. */
export function show(handlers) {
  body ??= table();
  if (!handlers.length) return;
  for (const handler of handlers) {
    const row = rows.get(handler.id) ?? added(handler.id);
    fill(row, handler);
  }
  for (const [id, row] of rows) {
    if (handlers.some((handler) => handler.id === id)) continue;
    row.element.remove();
    rows.delete(id);
  }
  if (handlers.some((handler) => !about.has(handler.id))) describe();
}

/** The ids of those that are configured, for the other views. Throws ApiError. */
export async function known() {
  const { handlers } = await call("/api/v1/handlers");
  return handlers.filter((handler) => handler.configured).map((handler) => handler.id);
}

async function describe() {
  for (const id of rows.keys()) about.set(id, null);
  try {
    const { handlers } = await call("/api/v1/handlers");
    for (const handler of handlers) about.set(handler.id, handler);
    for (const [id, row] of rows) say(row.listens, listens(about.get(id)));
  } catch {
    about.clear(); // the next sample asks again
  }
}

const listens = (handler) => (handler?.on ? `${handler.on.join(", ")} → ${handler.target}` : "");

function table() {
  const head = h("tr", { role: "row" }, NAMES.map((name) => h("th", { role: "columnheader", scope: "col" }, name || h("span", { class: "hidden" }, "Action"))));
  const found = h("tbody", { role: "rowgroup" });
  byId("handlers").replaceChildren(h("table", { class: "handlers", role: "table", "aria-labelledby": "handlers-title" }, h("thead", { role: "rowgroup" }, head), found));
  return found;
}

function added(id) {
  const cell = (name, attributes = {}) => h("td", { role: "cell", "data-name": name, ...attributes });
  const row = {
    listens: h("span", { class: "quiet" }),
    badge: h("span", { class: "badge" }),
    breaker: h("span", { class: "badge bad", hidden: true }),
    why: h("span", { class: "quiet" }),
    figures: NAMES.slice(2, 8).map((name) => cell(name, { class: "number" })),
    act: button("Pause", () => (row.paused ? resume(id) : pause(id))),
    paused: false,
  };
  row.element = h(
    "tr",
    { role: "row" },
    h("th", { role: "rowheader", scope: "row" }, h("span", { class: "name" }, id), row.listens),
    cell("State", { class: "state" }),
    row.figures,
    cell("", { class: "action" }),
  );
  row.element.children[1].append(row.badge, " ", row.breaker, row.why);
  row.element.lastChild.append(row.act);
  rows.set(id, row);
  body.append(row.element);
  return row;
}

function fill(row, handler) {
  row.paused = handler.state !== "active";
  say(row.badge, { active: "Active", paused: "Paused", resuming: "Resuming" }[handler.state] ?? handler.state);
  row.badge.dataset.state = { active: "good", paused: "warn", resuming: "warn" }[handler.state] ?? "";
  row.breaker.hidden = handler.breaker === "closed";
  say(row.breaker, handler.breaker === "open" ? "Breaker open" : "Breaker half-open");
  const until = handler.until ? `until ${time(handler.until)}` : handler.since ? `since ${time(handler.since)}` : "";
  say(row.why, row.paused ? [until, handler.why].filter(Boolean).join(": ") : "");
  const { per_second, p50, p99, in_flight, delivered, failures, attempts } = handler;
  const failed = failures ? `${count(failures)} of ${count(attempts)}` : "none";
  const told = [rate(per_second), latency(p50), latency(p99), count(in_flight), count(delivered), failed];
  told.forEach((text, index) => {
    say(row.figures[index], text);
    row.figures[index].dataset.state = ["0", "–", "none"].includes(text) ? "none" : "";
  });
  if (failures * 2 > attempts) row.figures[5].dataset.state = "bad";
  const name = handler.state === "paused" ? "Resume" : handler.state === "resuming" ? "Resume faster" : "Pause";
  say(row.act, name);
  row.act.setAttribute("aria-label", `${name} ${handler.id}`);
}

async function pause(id) {
  const length = h("select", { name: "length" }, ...[["", "until somebody resumes it"], ["10m", "for 10 minutes"], ["1h", "for an hour"], ["24h", "for a day"]].map(([value, text]) => h("option", { value }, text)));
  await ask({
    title: `Pause ${id}?`,
    body: [
      line("Its events are stored from now on, and delivered when it is resumed. Nothing is lost."),
      field("How long", length),
      field("Why", h("input", { name: "why", maxlength: 200, autocomplete: "off" }), "Shown to whoever asks"),
    ],
    yes: "Pause",
    act: async (form) => {
      await call(`/api/v1/handlers/${encodeURIComponent(id)}/pause`, { why: form.get("why"), for: form.get("length") });
      toast(`${id} is paused. Its events are stored.`);
    },
  });
}

async function resume(id) {
  let held = "";
  try {
    const found = await call(`/api/v1/handlers/${encodeURIComponent(id)}`);
    held = found.held ? `${counted(found.held, "event")} ${found.held === 1 ? "is" : "are"} held and will follow.` : "Nothing is held of it.";
  } catch (error) {
    toast(error.message, true);
    return;
  }
  const pace = h("select", { name: "rate" }, ...[["", "100 a second, for each partition"], ["10/s", "10 a second"], ["1/s", "1 a second"], ["1000/s", "1,000 a second"]].map(([value, text]) => h("option", { value }, text)));
  await ask({
    title: `Resume ${id}?`,
    body: [line(held), field("What is held follows at", pace)],
    yes: "Resume",
    act: async (form) => {
      await call(`/api/v1/handlers/${encodeURIComponent(id)}/resume`, { rate: form.get("rate") });
      toast(`${id} goes on.`);
    },
  });
}
