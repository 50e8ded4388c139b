// Dead letters: found by filters, looked at, replayed one by one or all that a filter takes.

import { call } from "./api.js";
import { ask, line, tick } from "./dialog.js";
import { button, byId, facts, h, say, toast, when } from "./dom.js";
import { counted, json, time } from "./format.js";
import { known } from "./handlers.js";
import { on } from "./live.js";

const REASONS = ["undecodable", "template", "exhausted", "expired", "permanent_status", "gone", "destination_denied", "crash_loop", "overflow", "handler_removed"];
let following = "";
let fresh = 0;
let turns = 0;
let shown = {};

export function open() {
  const { reason } = byId("dead-filters").elements;
  reason.append(...REASONS.map((name) => h("option", { value: name }, name.replaceAll("_", " "))));
  byId("dead-filters").addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  byId("dead-more").addEventListener("click", () => load(following));
  byId("dead-fresh").addEventListener("click", () => load());
  byId("dead-replay-all").addEventListener("click", replayAll);
  on("outcomes", (notes) => {
    fresh += notes.filter((note) => note.what === "dead").length;
    byId("dead-fresh").hidden = !fresh;
    byId("dead-fresh").textContent = `Show ${counted(fresh, "new one")}`;
  });
}

export async function enter() {
  const { handler } = byId("dead-filters").elements;
  try {
    const chosen = handler.value;
    const ids = await known();
    handler.replaceChildren(h("option", { value: "" }, "any"), ...ids.map((id) => h("option", { value: id }, id)));
    handler.value = ids.includes(chosen) ? chosen : "";
  } catch {
    // what keeps it from that is said of the letters, too
  }
  await load();
}

function filters() {
  const form = new FormData(byId("dead-filters"));
  return Object.fromEntries([...form].filter(([, value]) => value));
}

async function load(before = "") {
  const turn = ++turns;
  try {
    const asked = filters();
    const page = await call(`/api/v1/dead?${new URLSearchParams(before ? { ...asked, before } : asked)}`);
    if (turn !== turns) return; // somebody has asked for others meanwhile
    shown = asked;
    following = page.next;
    if (!before) {
      fresh = 0;
      byId("dead-fresh").hidden = true;
      byId("letters").replaceChildren();
    }
    byId("letters").append(...page.letters.map(item));
    byId("dead-more").hidden = !following;
    byId("dead-replay-all").hidden = !byId("letters").children.length;
    say(byId("dead-summary"), summary(page));
  } catch (error) {
    say(byId("dead-summary"), error.message);
  }
}

function summary(page) {
  const there = byId("letters").children.length;
  if (!page.total) return "There are no dead letters. What ends without a delivery is kept here.";
  if (!there) return following ? "None among the newest; there may be older ones." : `None of ${counted(page.total, "dead letter")} is like this.`;
  return following || there < page.total ? `${there} shown, ${page.total} in all` : counted(there, "dead letter");
}

function item(letter) {
  const detail = h("div", { class: "detail", id: `letter-${letter.id}`, hidden: true });
  const show = button("Show", () => toggle(letter, show, detail), { "aria-expanded": "false", "aria-controls": detail.id, "aria-label": `Show ${letter.id}` });
  const replay = button("Replay", () => replayOne(letter, element), { "aria-label": `Replay ${letter.id}`, disabled: !letter.replayable });
  const buried = Date.parse(letter.buried);
  const element = h(
    "li",
    { class: "letter", "data-id": letter.id },
    h(
      "div",
      { class: "letter-head" },
      h("h2", { class: "letter-name" }, h("strong", {}, letter.type || "no event"), letter.handler ? ` → ${letter.handler}` : "", " ", h("span", { class: "badge", "data-state": "bad" }, letter.reason.replaceAll("_", " "))),
      h("p", { class: "why" }, letter.why),
      h("p", { class: "quiet" }, Number.isNaN(buried) ? "" : when(buried, time(buried)), letter.attempts ? `, ${counted(letter.attempts, "attempt")}` : "", letter.status && !letter.why.includes(letter.status) ? `, last answer ${letter.status}` : ""),
    ),
    h("div", { class: "tools" }, show, replay),
    detail,
  );
  return element;
}

async function toggle(letter, control, detail) {
  const opened = detail.hidden;
  control.setAttribute("aria-expanded", String(opened));
  control.textContent = opened ? "Hide" : "Show";
  control.setAttribute("aria-label", `${control.textContent} ${letter.id}`);
  detail.hidden = !opened;
  if (!opened || detail.children.length) return;
  try {
    const { letters } = await call(`/api/v1/dead/${letter.id}`);
    detail.replaceChildren(...whole(letters.find((one) => one.stream === letter.stream) ?? letters[0]));
  } catch (error) {
    detail.replaceChildren(h("p", { class: "field-error" }, error.message));
  }
}

function whole(letter) {
  const block = (name, text) => (text ? [h("h3", {}, name), h("pre", { role: "group", tabindex: 0, "aria-label": name }, text)] : []);
  const about = [
    ["Event", h("a", { href: `#event/${letter.event}` }, letter.event)],
    ["Dead letter", letter.id],
    ["Stream", letter.stream],
    ["First attempt", letter.first_attempt],
    ["Last attempt", letter.last_attempt],
    ["Fingerprint", letter.fingerprint],
  ];
  return [
    facts(...about),
    ...block("The last answer", letter.answer),
    ...block("Event", letter.event_content && json(letter.event_content)),
    ...block("What came", letter.raw_sha256 && `${letter.raw_length} bytes, SHA-256 ${letter.raw_sha256}; streamhooks dead show --reveal shows them`),
  ];
}

const FORCE = "Deliver even inside a cool-down";

function replayOne(letter, element) {
  return ask({
    title: "Replay this dead letter?",
    body: [line(`${letter.type} goes to ${letter.handler} again, as a first attempt, with the same webhook-id.`), tick("force", FORCE)],
    yes: "Replay",
    act: async (form) => {
      const done = await call("/api/v1/dead/replay", { ids: [letter.id], force: form.has("force") });
      if (!done.replayed.length) throw new Error("It is not there any more: somebody else has replayed or purged it.");
      toast("Replayed. It is on its way again.");
      const next = element.nextElementSibling ?? element.previousElementSibling;
      element.remove();
      (next?.querySelector("button") ?? byId("dead-title")).focus();
      if (!byId("letters").children.length) load();
    },
  });
}

async function replayAll() {
  const asked = { ...shown };
  if (!Object.keys(asked).length) asked.all = true;
  let found;
  try {
    found = await call("/api/v1/dead/replay", { ...asked, dry_run: true });
  } catch (error) {
    toast(error.message, true);
    return;
  }
  if (!found.matching) {
    toast("None of these can be replayed.", true);
    return;
  }
  const left = found.not_replayable ? [line(`${counted(found.not_replayable, "letter")} never were an event that can be read, and stay.`)] : [];
  await ask({
    title: `Replay ${counted(found.matching, "dead letter")}?`,
    body: [line("Each goes to its handler again, as a first attempt, with the same webhook-id."), ...left, tick("force", FORCE)],
    yes: `Replay ${found.matching}`,
    danger: true,
    act: async (form) => {
      let count = 0;
      for (let more = true; more; ) {
        const done = await call("/api/v1/dead/replay", { ...asked, until: found.until, force: form.has("force") });
        count += done.replayed.length;
        more = done.more && done.replayed.length > 0;
        say(byId("dialog-title"), `${count} of ${found.matching} replayed`);
      }
      toast(`${counted(count, "dead letter")} replayed.`);
      await load();
    },
  });
}
