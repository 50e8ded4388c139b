// The overview: what waits, three curves, and the handlers.

import { Chart } from "./chart.js";
import { byId, h, say } from "./dom.js";
import { count, counted, latency, rate, span } from "./format.js";
import { show as showHandlers } from "./handlers.js";
import { on } from "./live.js";

const KEPT = 300;
const SMOOTH = 5; // samples: a delivery now and then is a rate, not a comb
const TROUBLE = {
  away: "Redis does not answer. Nothing is lost: workers go on when it is back.",
  refusing: "Redis takes no writes. Reading stops until it does; nothing is lost.",
  failing: "Redis refuses what this page asks of it. The log of the worker says what.",
};
const points = [];
let charts = [];
let tiles = {};

export function open() {
  charts = [
    new Chart(byId("chart-throughput"), "Deliveries", "a second, all workers", [{ index: 1, style: "one", area: true }], (value) => `${rate(value)}/s`),
    new Chart(byId("chart-latency"), "Latency", "of an attempt, this worker", [{ index: 2, name: "p50", style: "one", gaps: true }, { index: 3, name: "p99", style: "two", gaps: true }], latency),
    new Chart(byId("chart-backlog"), "Backlog", "to be done now, all workers", [{ index: 4, style: "one", area: true }], (value) => count(Math.round(value)), 10),
  ];
  tiles = {
    lag: tile("Waiting", "not read yet"),
    pending: tile("Under way", "handed out, not acknowledged"),
    parked: tile("Stored", "retries and what is held"),
    dead: tile("Dead letters", "to be looked at", "#dead"),
  };
  on("hello", begin);
  on("sample", add);
}

function tile(name, note, link) {
  const figure = h("span", { class: "figure" }, "–");
  const below = h("span", { class: "quiet" }, note);
  const title = link ? h("a", { class: "tile-name", href: link }, name) : h("span", { class: "tile-name" }, name);
  byId("tiles").append(h("li", { class: "tile" }, title, figure, below));
  return { figure, below, note };
}

function fill(one, figure, note, state) {
  say(one.figure, figure);
  say(one.below, note || one.note);
  one.figure.parentElement.dataset.state = state ?? "";
}

function begin(hello) {
  points.splice(0, points.length, ...hello.history);
  say(byId("about"), `Stream ${hello.stream}, group ${hello.group}, seen by ${hello.worker}`);
  redraw();
}

function add(sample) {
  const { backlog, redis } = sample;
  points.push([sample.at, sample.per_second.delivered ?? 0, sample.p50, sample.p99, backlog.total ?? 0]);
  points.splice(0, Math.max(0, points.length - KEPT));
  say(byId("redis"), TROUBLE[redis] ?? "");
  byId("redis").hidden = redis === "ok";
  if (backlog.total !== undefined) {
    const old = backlog.pending ? `the oldest for ${span(backlog.oldest_pending)}` : "";
    fill(tiles.lag, count(backlog.lag), "", backlog.lag > 1000 ? "warn" : "");
    fill(tiles.pending, count(backlog.pending), old, backlog.pending && backlog.oldest_pending > 300 ? "warn" : "");
    fill(tiles.parked, count(backlog.parked), stored(backlog));
    fill(tiles.dead, count(backlog.dead), "", backlog.dead ? "bad" : "");
    say(byId("dead-count"), count(backlog.dead));
    byId("dead-count").hidden = !backlog.dead;
  }
  say(byId("workers"), `${counted(sample.workers, "worker")}, totals since ${sample.workers === 1 ? "it" : "they"} started`);
  showHandlers(sample.handlers);
  redraw();
}

function stored(backlog) {
  const parts = [backlog.due ? `${count(backlog.due)} due` : "", backlog.held ? `${count(backlog.held)} held` : ""];
  return parts.filter(Boolean).join(", ");
}

export function redraw() {
  if (byId("view-overview").hidden) return;
  const smooth = points.map((point, index) => [point[0], mean(points.slice(Math.max(0, index + 1 - SMOOTH), index + 1)), ...point.slice(2)]);
  for (const chart of charts) chart.set(smooth);
}

const mean = (some) => some.reduce((sum, point) => sum + point[1], 0) / some.length;

