// One event's whole life.

import { call } from "./api.js";
import { ask, line, tick } from "./dialog.js";
import { button, byId, facts, h, say, toast, when } from "./dom.js";
import { json, precise } from "./format.js";
import { on } from "./live.js";

const STATES = {
  delivered: "good", fires: "good", dead: "bad", lost: "bad", fails: "bad",
  parked: "warn", held: "warn", due: "warn", pending: "warn", waiting: "warn", unread: "warn", deferred: "warn",
};
const WORDS = { type: "does not match", api: "does not match", org: "does not match", when: "does not match" };
const CONCERNED = ["fires", "fails", "removed", "unknown"];

let asked = ""; // the id that was asked for last
let shown = ""; // the one whose story stands there

export function open() {
  on("outcomes", (notes) => {
    const told = byId("stories");
    // What somebody is about to press must not be moved away under him.
    const idle = !byId("view-event").hidden && !told.contains(document.activeElement) && !byId("dialog").open;
    if (idle && [...told.children].some((story) => notes.some((note) => note.entry === story.dataset.id))) enter(asked);
  });
  byId("finder").addEventListener("submit", (event) => {
    event.preventDefault();
    const id = byId("event-id").value.trim();
    const hash = `#event/${encodeURIComponent(id)}`;
    if (location.hash === hash) enter(id);
    else location.hash = hash;
  });
}

export async function enter(id) {
  asked = id;
  if (!id || id !== shown) byId("stories").replaceChildren();
  byId("story-said").hidden = true;
  if (!id) return;
  byId("event-id").value = id;
  try {
    const { stories } = await call(`/api/v1/explain/${encodeURIComponent(id)}`);
    if (id !== asked) return;
    shown = id;
    byId("stories").replaceChildren(...stories.map((one) => article(one, id)));
  } catch (error) {
    say(byId("story-said"), error.message);
    byId("story-said").hidden = false;
  }
}

function article(story, id) {
  const event = story.event ?? {};
  const parts = [...story.handlers].sort((one, other) => concerned(other) - concerned(one));
  return h(
    "article",
    { class: "panel story", "data-id": story.id, "aria-label": `Event ${story.id}` },
    h("div", { class: "panel-head" }, h("h2", {}, event.type ?? "An entry that is no event"), button("Look again", () => again(id))),
    facts(["Event", story.id], ["Stream", story.stream], ["API", event.api_id], ["Organisation", event.org_id], ["Source", event.source], ["Time", event.timestamp]),
    ...list("Where it is now", story.now.map((place) => place_(place, id))),
    ...list("What to do", story.to_do.map((advice) => h("li", {}, advice.text, h("code", { class: "command" }, advice.command)))),
    ...list("What happened", story.steps.map(step), "steps"),
    ...list("Handlers", parts.map(part)),
    ...(story.content ? [h("h3", {}, "What it says"), h("pre", { role: "group", tabindex: 0, "aria-label": "What it says" }, json(story.content))] : []),
    ...list("To be known", story.remarks.map((text) => h("li", { class: "quiet" }, text))),
  );
}

async function again(id) {
  await enter(id);
  byId("event-title").focus();
}

function list(title, items, style = "plain") {
  return items.length ? [h("h3", {}, title), h("ol", { class: style }, items)] : [];
}

function place_(place, id) {
  const again = place.letter ? button("Replay", () => replay(place, id), { "aria-label": `Replay ${place.letter}` }) : null;
  return h("li", { class: "place" }, badge(place.state), h("span", { class: "told" }, place.handler ? h("strong", {}, `${place.handler}: `) : "", place.text), again);
}

function step(one) {
  const state = one.what === "attempt" ? (one.status >= 200 && one.status < 300 ? "good" : one.reason ? "bad" : "warn") : STATES[one.what];
  const other = one.by && one.by !== "tyk" ? h("a", { href: `#event/${one.by}` }, "its story") : null;
  return h("li", { "data-state": state }, when(one.at, precise(one.at)), h("span", { class: "told" }, one.handler ? h("strong", {}, `${one.handler}: `) : "", one.text, " ", other));
}

const concerned = (one) => Number(CONCERNED.includes(one.verdict));

function part(one) {
  const word = WORDS[one.verdict] ?? one.verdict;
  const text = one.text.replace(/^(fires|does not fire): /, "");
  const sent = concerned(one) && one.webhook_id ? h("span", { class: "quiet id" }, `webhook-id ${one.webhook_id}`) : null;
  const cool = one.cool_down ? h("span", { class: "quiet" }, `cool-down: ${one.cool_down.text}`) : null;
  return h("li", { class: "place" }, badge(one.verdict, word), h("span", { class: "told" }, h("strong", {}, one.handler), text === word ? "" : `: ${text}`, sent, cool));
}

const badge = (state, word = state) => h("span", { class: "badge", "data-state": STATES[state] ?? "" }, word);

function replay(place, id) {
  return ask({
    title: "Replay this dead letter?",
    body: [line(`It goes to ${place.handler} again, as a first attempt, with the same webhook-id.`), tick("force", "Deliver even inside a cool-down")],
    yes: "Replay",
    act: async (form) => {
      const done = await call("/api/v1/dead/replay", { ids: [place.letter], force: form.has("force") });
      if (!done.replayed.length) throw new Error("It is not there any more, or never was an event that can be read.");
      toast("Replayed. It is on its way again.");
      await again(id);
    },
  });
}
