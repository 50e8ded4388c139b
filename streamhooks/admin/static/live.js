// The live feed: kept open, opened again when it breaks, and everybody told of what comes.

import { ApiError, follow } from "./api.js";

const SILENCE = 6000; // ms without a sample, of which there is one a second: the connection is dead
const SOONEST = 1000;
const LATEST = 10000;

const listeners = new Map();

/** Calls `act` with the data of each message of this name; `state` has how the connection stands. */
export function on(name, act) {
  listeners.set(name, [...(listeners.get(name) ?? []), act]);
}

function tell(name, data) {
  for (const act of listeners.get(name) ?? []) act(data);
}

/** Follows until the token is refused, which is thrown. */
export async function run() {
  let wait = SOONEST;
  for (;;) {
    const abort = new AbortController();
    let watch = setTimeout(() => abort.abort(), SILENCE);
    let why = "";
    try {
      for await (const [name, data] of follow("/api/v1/events", abort.signal)) {
        clearTimeout(watch);
        watch = setTimeout(() => abort.abort(), SILENCE);
        if (name === "hello") {
          wait = SOONEST;
          tell("state", { open: true });
        }
        tell(name, data);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) throw error;
      why = error.status ? error.message : "";
    } finally {
      clearTimeout(watch);
    }
    tell("state", { open: false, why, seconds: Math.round(wait / 1000) });
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(LATEST, wait * 2);
  }
}
