// The console: its token, its views, and how the connection stands.

import { ApiError, call, useToken } from "./api.js";
import * as dead from "./dead.js";
import { byId, say } from "./dom.js";
import * as live from "./live.js";
import * as outcomes from "./outcomes.js";
import * as overview from "./overview.js";
import * as playground from "./playground.js";
import * as story from "./story.js";

const VIEWS = { overview: overview.redraw, dead: dead.enter, event: story.enter, playground: playground.enter };
let inside = false;

function connection(state, text) {
  byId("connection").dataset.state = state;
  say(byId("connection"), text);
}

/** Shows the view that the address names; `#event/1795428000000-0` gives it the id. */
function route(moved = true) {
  if (!inside) return;
  const [name, ...rest] = location.hash.slice(1).split("/");
  const view = name in VIEWS ? name : "overview";
  for (const other of Object.keys(VIEWS)) byId(`view-${other}`).hidden = other !== view;
  for (const link of byId("views").children) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${byId(`${view}-title`).textContent} – streamhooks`;
  if (moved) {
    byId(`${view}-title`).focus();
    scrollTo(0, 0);
  }
  VIEWS[view](decodeURIComponent(rest.join("/")));
}

function gate(message = "") {
  inside = false;
  byId("views").hidden = true;
  for (const view of Object.keys(VIEWS)) byId(`view-${view}`).hidden = true;
  byId("gate").hidden = false;
  say(byId("gate-error"), message);
  connection("closed", "Locked");
  byId("token").value = "";
  byId("token").focus();
}

async function enter() {
  byId("gate").hidden = true;
  byId("views").hidden = false;
  inside = true;
  route(false);
  try {
    await live.run();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    gate("The token is not taken any more.");
  }
}

/** Asks whether there is a token to be given, until the worker answers. */
async function begin() {
  for (;;) {
    try {
      await call("/api/v1/status");
      break;
    } catch (error) {
      if (error.status === 401) return gate();
      if (error.status) break; // it answers, and the page says what is wrong
      connection("lost", "The worker does not answer. Trying again");
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
  return enter();
}

byId("gate-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  useToken(byId("token").value.trim());
  try {
    await call("/api/v1/status");
  } catch (error) {
    if (error.status === 401 || !error.status) {
      useToken("");
      gate(error.status ? "This is not the token." : error.message);
      return;
    }
  }
  byId("token").value = "";
  enter();
});

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});

live.on("state", ({ open, why, seconds }) => {
  if (open) connection("live", "Live");
  else connection("lost", why || `Connection lost. Trying again${seconds > 1 ? ` in ${seconds} s` : ""}`);
});
addEventListener("hashchange", () => route());

for (const view of [overview, outcomes, dead, story, playground]) view.open();
begin();
