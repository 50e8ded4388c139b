// A line over the last five minutes, drawn as SVG. What it shows is also said in words beside it.

import { h, s, say } from "./dom.js";
import { time } from "./format.js";

const WINDOW = 300000; // ms
const GAP = 3500; // ms between two samples: more is a gap, not a line
const HEIGHT = 140;
const LEFT = 1;
const TOP = 18;
const BOTTOM = 20;

export class Chart {
  /** `series` are {index, name, style, area, gaps}: with `gaps`, 0 means that there was nothing; `show` spells a value; the scale goes to `least` at least. */
  constructor(figure, title, note, series, show, least = 0) {
    this.series = series;
    this.show = show;
    this.least = least;
    this.points = [];
    this.pointed = null;
    this.values = series.map((one) => h("span", {}));
    this.at = h("p", { class: "quiet at" });
    this.svg = s("svg", { height: HEIGHT, role: "img", "aria-label": `${title}, the last five minutes` });
    const now = series.map((one, index) => h("span", { class: one.name ? `key ${one.style}` : "" }, one.name ?? "", this.values[index]));
    figure.append(
      h("figcaption", {}, h("div", { class: "chart-head" }, h("h2", {}, title), h("p", { class: "now" }, now)), h("div", { class: "chart-note" }, h("p", { class: "quiet" }, note), this.at)),
      this.svg,
    );
    this.svg.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    new ResizeObserver(() => this.draw()).observe(figure);
  }

  set(points) {
    this.points = points;
    this.draw();
  }

  point(x) {
    this.pointed = x;
    this.draw();
  }

  draw() {
    const width = this.svg.parentElement.clientWidth - 2 * parseFloat(getComputedStyle(this.svg.parentElement).paddingLeft);
    if (width <= 0) return;
    const last = this.points.at(-1);
    const end = last ? last[0] : Date.now();
    const most = nice(Math.max(this.least, ...this.points.flatMap((point) => this.series.map((one) => point[one.index]))));
    const x = (at) => LEFT + (width - 2 * LEFT) * (1 - (end - at) / WINDOW);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const shown = this.nearest(end, width) ?? last;
    this.svg.replaceChildren(...this.grid(width, most, y), ...this.lines(x, y), ...this.mark(shown, x, y));
    this.tell(shown, shown !== last);
  }

  nearest(end, width) {
    if (this.pointed === null || !this.points.length) return null;
    const at = end - WINDOW * (1 - (this.pointed - LEFT) / (width - 2 * LEFT));
    return this.points.reduce((best, one) => (Math.abs(one[0] - at) < Math.abs(best[0] - at) ? one : best));
  }

  tell(point, past) {
    this.series.forEach((one, index) => say(this.values[index], this.show(point ? point[one.index] : 0)));
    say(this.at, point && past ? time(point[0]) : "");
  }

  grid(width, most, y) {
    const half = this.show(most / 2) === this.show(most) ? [] : [most / 2];
    const lines = [most, ...half, 0].flatMap((value) => [
      s("line", { class: "grid", x1: LEFT, x2: width - LEFT, y1: y(value), y2: y(value) }),
      value ? s("text", { class: "tick", x: LEFT, y: y(value) - 4 }, this.show(value)) : null,
    ]);
    const ticks = [
      s("text", { class: "tick", x: LEFT, y: HEIGHT - 5 }, "5 min ago"),
      s("text", { class: "tick end", x: width - LEFT, y: HEIGHT - 5 }, "now"),
    ];
    return [...lines.filter(Boolean), ...ticks];
  }

  lines(x, y) {
    return this.series.flatMap((one) => {
      const parts = runs(one.gaps ? this.points.filter((point) => point[one.index]) : this.points).map((run) => run.map((point) => [x(point[0]), y(point[one.index])]));
      const line = parts.map((part) => `M${part.map((place) => place.map(rounded).join(" ")).join("L")}`).join("");
      const under = parts.map((part) => `M${rounded(part[0][0])} ${y(0)}L${part.map((place) => place.map(rounded).join(" ")).join("L")}L${rounded(part.at(-1)[0])} ${y(0)}Z`).join("");
      const area = one.area ? [s("path", { class: `area ${one.style}`, d: under })] : [];
      return line ? [...area, s("path", { class: `line ${one.style}`, d: line })] : [];
    });
  }

  mark(point, x, y) {
    if (!point) return [];
    const cross = this.pointed === null ? [] : [s("line", { class: "cross", x1: x(point[0]), x2: x(point[0]), y1: TOP, y2: y(0) })];
    const drawn = this.series.filter((one) => point[one.index] || !one.gaps);
    return [...cross, ...drawn.map((one) => s("circle", { class: `dot ${one.style}`, cx: x(point[0]), cy: y(point[one.index]), r: 3 }))];
  }
}

const rounded = (number) => Math.round(number * 10) / 10;

/** The least of 1, 2, 5 times a power of ten that holds it. */
function nice(most) {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((bound) => bound >= most * 0.999);
}

/** The points without the gaps between them. */
function runs(points) {
  const found = [];
  for (const point of points) {
    const run = found.at(-1);
    if (run && point[0] - run.at(-1)[0] < GAP) run.push(point);
    else found.push([point]);
  }
  return found;
}
