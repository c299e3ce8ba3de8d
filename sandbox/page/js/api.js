// The control API. A refusal comes back as a `Refusal` with a sentence that can be shown to the person who asked.

/** What the sandbox would not do, in words for a person. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(`/control${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, "unreachable", "The sandbox does not answer. Is it still running?");
  }
  const text = await response.text();
  const answer = parse(text);
  if (!response.ok) {
    throw new Refusal(response.status, answer?.error ?? "failed", answer?.message ?? `The sandbox answered ${response.status}.`);
  }
  return answer ?? {};
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads from the control API; `query` entries that are absent are left out. */
export function read(path, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return call("GET", pairs.length > 0 ? `${path}?${new URLSearchParams(pairs)}` : path);
}

/** Does something through the control API. */
export function act(path, body = {}) {
  return call("POST", path, body);
}

/** Removes something through the control API. */
export function remove(path) {
  return call("DELETE", path);
}
