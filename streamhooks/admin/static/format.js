// Figures and times as people read them.

const plain = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat([], { month: "short", day: "numeric" });

export const count = (number) => (number < 100000 ? plain.format(number) : short.format(number));

export const counted = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export const rate = (number) => (number < 100 ? String(Math.round(number * 10) / 10) : count(Math.round(number)));

/** Seconds of a latency, which is the bound of its bucket. */
export function latency(seconds) {
  if (!seconds) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 60 ? `${Math.round(seconds * 10) / 10} s` : span(seconds);
}

/** Seconds of a while. */
export function span(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** The time of the day, and the day where it is another one. */
export function time(ms) {
  const at = new Date(ms);
  const today = at.toDateString() === new Date().toDateString();
  return today ? clock.format(at) : `${day.format(at)} ${clock.format(at)}`;
}

/** The same to the millisecond. */
export const precise = (ms) => `${time(ms)}.${String(ms % 1000).padStart(3, "0")}`;

/** JSON for people. */
export const json = (value) => JSON.stringify(value, null, 2);
