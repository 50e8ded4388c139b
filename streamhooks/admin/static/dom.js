// Elements. Law: what comes from anywhere is text; nothing here or elsewhere makes HTML of a string.

export const byId = (id) => document.getElementById(id);

/** An element: attributes (`class`, `aria-…`, `hidden` …), `on…` listeners, and children, each an element or a text. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** A button of this name that does this. */
export function button(name, act, attributes = {}) {
  return h("button", { type: "button", onclick: act, ...attributes }, name);
}

/** A moment, in the reader's own time; the whole of it is in the element. */
export function when(ms, text) {
  const at = new Date(ms);
  return h("time", { datetime: at.toISOString(), title: at.toLocaleString() }, text);
}

/** A list of names and values, without those that have none. */
export function facts(...pairs) {
  const there = pairs.filter(([, value]) => value && value !== "-");
  return h("dl", { class: "facts" }, there.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** Text where it is other than what stands there: a screen reader is told of changes only. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let toasting = 0;

/** Says for a while what was done, or what could not be. */
export function toast(text, bad = false) {
  const element = byId("toast");
  element.classList.toggle("bad", bad);
  element.classList.add("shown");
  say(element, text);
  clearTimeout(toasting);
  toasting = setTimeout(() => {
    element.classList.remove("shown");
    element.textContent = "";
  }, 6000);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}
