// Talking to the worker. The token lives in this module's memory and nowhere else.

let token = "";

export function useToken(text) {
  token = text;
}

/** A call that was not done. `status` 0: the worker could not be reached. */
export class ApiError extends Error {
  constructor(status, kind, message) {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}

/** The answer of a GET, or of a POST where there is a body. Throws ApiError. */
export async function call(path, body) {
  const response = await request(path, body);
  try {
    return await response.json();
  } catch {
    throw new ApiError(0, "unreachable", "The worker's answer broke off.");
  }
}

/** Every message of the live feed, as [event, data], until it ends. Throws ApiError. */
export async function* follow(path, signal) {
  const response = await request(path, undefined, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch {
      throw new ApiError(0, "unreachable", "The connection broke off.");
    }
    if (part.done) return;
    const blocks = (rest + part.value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) yield message(block);
  }
}

async function request(path, body, signal) {
  const headers = {};
  const options = { headers, signal, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
    headers["X-Streamhooks"] = "console";
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError(0, "unreachable", "The worker does not answer.");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  const error = told.error ?? { kind: "http", message: `The worker answered ${response.status}.` };
  throw new ApiError(response.status, error.kind, error.message);
}

function message(block) {
  let event = "message";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) event = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  return [event, JSON.parse(data || "null")];
}
