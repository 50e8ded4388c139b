// The playground: a handler, an event, maybe another template; the exact request, and a test of it.

import { call } from "./api.js";
import { ask, line } from "./dialog.js";
import { byId, facts, h, say, toast } from "./dom.js";
import { json } from "./format.js";
import { known } from "./handlers.js";

let handler = null; // as the API tells of it
const form = () => byId("trial").elements;

export function open() {
  byId("trial").addEventListener("submit", (event) => {
    event.preventDefault();
    render();
  });
  form().handler.addEventListener("change", choose);
  form().type.addEventListener("change", exemplify);
  byId("trial-fire").addEventListener("click", fire);
  byId("trial-reset").addEventListener("click", () => {
    form().template.value = handler?.template.source ?? "";
  });
}

export async function enter() {
  const { handler: select } = form();
  try {
    const ids = await known();
    if (handler && ids.join() === [...select.options].map((one) => one.value).join()) return;
    const chosen = select.value;
    select.replaceChildren(...ids.map((id) => h("option", { value: id }, id)));
    if (ids.includes(chosen)) select.value = chosen;
    if (ids.length) await choose();
    else say(byId("trial-error"), "The configuration has no handler.");
  } catch (error) {
    say(byId("trial-error"), error.message);
  }
}

async function choose() {
  try {
    handler = await call(`/api/v1/handlers/${encodeURIComponent(form().handler.value)}`);
    form().type.replaceChildren(...handler.types.map((type) => h("option", { value: type }, type)));
    form().template.value = handler.template.source;
    say(byId("trial-template-name"), `${handler.template.name}, escape ${handler.template.escape}`);
    await exemplify();
    for (const name of ["trial-render", "trial-fire"]) byId(name).disabled = false;
  } catch (error) {
    say(byId("trial-error"), error.message);
  }
}

async function exemplify() {
  try {
    const event = await call(`/api/v1/examples/${encodeURIComponent(form().type.value)}`);
    delete event.id;
    form().event.value = json(event);
    say(byId("trial-error"), "");
  } catch (error) {
    say(byId("trial-error"), error.message);
  }
}

/** What is tried. Throws where the event is no JSON. */
function trial() {
  let event;
  try {
    event = JSON.parse(form().event.value);
  } catch (error) {
    throw new Error(`The event is no JSON: ${error.message}`);
  }
  const edited = form().template.value !== handler.template.source;
  return { handler: handler.id, event, ...(edited ? { template: form().template.value } : {}) };
}

async function tried(path) {
  const refuse = (text) => {
    say(byId("trial-error"), text);
    byId("rendered").replaceChildren(h("p", { class: "empty" }, "There is no request."));
  };
  try {
    const found = await call(path, trial());
    say(byId("trial-error"), "");
    return found;
  } catch (error) {
    refuse(error.message);
    throw error;
  }
}

async function render() {
  try {
    const request = await tried("/api/v1/render");
    byId("rendered").replaceChildren(...told(request, request.unfired, request.signed));
  } catch {
    // said where the form is
  }
}

function told(request, unfired, signed) {
  const path = new URL(request.url);
  const head = [`${request.method} ${path.pathname}${path.search} HTTP/1.1`, ...request.headers.map(([name, value]) => `${name}: ${value}`)];
  return [
    unfired ? h("p", { class: "notice" }, `A worker would not send this: ${unfired}.`) : "",
    h("pre", { role: "group", tabindex: 0, "aria-label": "The request" }, `${head.join("\n")}\n\n${request.body}`),
    facts(["Fingerprint, by which a cool-down knows an equal request", request.fingerprint]),
    signed ? h("p", { class: "quiet" }, "Signed when it is sent: the signature headers are added then.") : "",
  ];
}

async function fire() {
  await ask({
    title: "Send a test request?",
    body: [line(`This request goes to ${handler.target} now, once, outside of the stream and of any cool-down. It is a real request to a real endpoint.`)],
    yes: "Send",
    act: async () => {
      const { request, answer, unfired } = await tried("/api/v1/fire");
      const good = answer.status >= 200 && answer.status < 300;
      const title = answer.failure ? `No answer (${answer.failure})` : `Answered ${answer.status}`;
      const lines = answer.failure ? answer.message : `${Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${answer.body}`.trimEnd();
      byId("rendered").replaceChildren(
        h("p", { class: `notice ${good ? "good" : "bad"}` }, `${title} after ${Math.round(answer.seconds * 1000)} ms`),
        h("pre", { role: "group", tabindex: 0, "aria-label": "The answer" }, lines),
        h("h3", {}, "What was sent"),
        ...told(request, unfired, false),
      );
      toast(title, !good);
    },
  });
}
