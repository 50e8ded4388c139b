// What becomes of events, as the journal is told of it.

import { byId, h, say, when } from "./dom.js";
import { count, counted, time } from "./format.js";
import { on } from "./live.js";

const KEPT = 200;
const SHOWN = 30;
const WORDS = {
  delivered: ["Delivered", "good"],
  suppressed: ["Suppressed", ""],
  retry: ["Retry", "warn"],
  dead: ["Dead letter", "bad"],
  unmatched: ["Unmatched", ""],
};
const MODES = {
  problems: "The journal notes problems only: what is delivered at once is not shown here.",
  off: "The journal is off (worker.journal): there is nothing to show here.",
};
let notes = [];
let held = false;
let waiting = 0;

export function open() {
  on("hello", (hello) => say(byId("journal"), MODES[hello.journal] ?? ""));
  on("outcomes", add);
  on("lost", ({ messages, outcomes }) => {
    const left = messages ? `${counted(messages, "message")} left out: this page was too slow.` : `${counted(outcomes, "outcome")} left out: too many at once.`;
    say(byId("journal"), left);
  });
  byId("problems-only").addEventListener("change", draw);
  byId("hold").addEventListener("click", () => {
    held = !held;
    waiting = 0;
    byId("hold").setAttribute("aria-pressed", String(held));
    draw();
  });
}

/** What became of one, in words. */
export function sentence(note) {
  const attempt = note.attempt > 1 ? `attempt ${note.attempt}, ` : "";
  switch (note.what) {
    case "delivered":
      return `${attempt}${note.status} in ${count(note.ms)} ms`;
    case "suppressed":
      return note.by === "tyk" ? "Tyk has sent the same request" : "the same request stands for it";
    case "retry":
      return `${note.why}; ${note.again < 0 ? "when its handler is resumed" : `again in ${note.again} s`}`;
    case "dead":
      return `${note.reason}: ${note.why}`;
    default:
      return "no handler wants it";
  }
}

function add(found) {
  notes = [...found.toReversed(), ...notes].slice(0, KEPT);
  if (held) {
    waiting += found.length;
    byId("hold").textContent = `Go on (${count(waiting)} new)`;
  } else {
    draw();
  }
}

function draw() {
  if (held) return;
  byId("hold").textContent = "Hold";
  const problems = byId("problems-only").checked;
  const shown = notes.filter((note) => !problems || !["delivered", "unmatched"].includes(note.what)).slice(0, SHOWN);
  const there = new Map([...byId("outcomes").children].map((item) => [item.dataset.key, item]));
  byId("outcomes").replaceChildren(...shown.map((note) => there.get(key(note)) ?? item(note)));
  byId("outcomes-empty").hidden = shown.length > 0;
}

const key = (note) => `${note.id} ${note.entry} ${note.handler ?? ""}`;

function item(note) {
  const [word, state] = WORDS[note.what] ?? [note.what, ""];
  return h(
    "li",
    { class: "outcome", "data-key": key(note) },
    when(note.at, time(note.at)),
    h("span", { class: "badge", "data-state": state }, note.what === "retry" && !note.sent ? "Put off" : word),
    h("span", { class: "what" }, h("strong", {}, note.type || (note.what === "unmatched" ? "An event" : "No event")), note.handler ? ` → ${note.handler}` : ""),
    h("span", { class: "why" }, sentence(note)),
    h("a", { class: "id", href: `#event/${note.entry}`, title: "Its story" }, note.entry),
  );
}
