// An app as small as a page test needs: it checks signatures, answers commands and clicks, opens modals and posts cards, all over Slack's
// own protocol. It is not the bot; what the bot does is tested elsewhere.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const SECRET = "sandbox-signing-secret";
const TOKEN = "xoxb-sandbox";

/** An app that listens on `host:port` (port 0: a free one). */
export class App {
  #server;
  #waiting = [];
  #handlers = new Map();

  constructor() {
    /** What arrived, oldest first: `{kind, payload}`. */
    this.received = [];
    /** The sandbox's address, once it is known. */
    this.sandbox = "";
    /** What it answers to a command; tests replace it. */
    this.onCommand = (form) => ({ response_type: "ephemeral", text: `You said ${form.command} ${form.text}` });
    /** Lets a click wait: a promise that tests resolve, or null. */
    this.gate = null;
    /** The HTTP status of its answers. */
    this.status = 200;
  }

  /** Starts to listen; resolves to the address. */
  async listen(host = "127.0.0.1", port = 0) {
    this.#server = createServer((request, response) => this.#serve(request, response));
    await new Promise((resolve, reject) => this.#server.once("error", reject).listen(port, host, resolve));
    return `http://${host}:${this.#server.address().port}`;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What happens when an action is clicked, or a modal with a callback id is submitted: `(payload) => answer`. */
  on(name, handler) {
    this.#handlers.set(name, handler);
  }

  /** Resolves to the next thing that arrives and fits. */
  next(fits) {
    return new Promise((resolve) => this.#waiting.push({ fits, resolve }));
  }

  /** The interactions with an action or callback id that have arrived. */
  interactions(name) {
    const named = (payload) => payload.actions?.[0]?.action_id === name || payload.view?.callback_id === name;
    return this.received.filter(({ kind, payload }) => kind === "interaction" && named(payload)).map(({ payload }) => payload);
  }

  /** Posts a message into #deploys and returns its ts. */
  async posts(text, blocks, more = {}) {
    const { ts } = await this.call("chat.postMessage", { channel: "C0DEPLOYS", text, blocks, ...more });
    return ts;
  }

  /** Calls the Web API; a refusal throws. */
  async call(method, body) {
    const response = await fetch(`${this.sandbox}/slack/api/${method}`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!answer.ok) {
      throw new Error(`${method}: ${answer.error} ${JSON.stringify(answer.response_metadata ?? {})}`);
    }
    return answer;
  }

  async #serve(request, response) {
    let body = "";
    for await (const chunk of request) {
      body += chunk;
    }
    if (!signed(request.headers, body)) {
      response.writeHead(401).end();
      return;
    }
    const arrived = read(request, body);
    this.received.push(arrived);
    this.#tell(arrived);
    const answer = await this.#answer(arrived);
    response.writeHead(this.status, { "content-type": "application/json" }).end(answer ? JSON.stringify(answer) : "");
  }

  #tell(arrived) {
    const index = this.#waiting.findIndex(({ fits }) => fits(arrived));
    if (index !== -1) {
      this.#waiting.splice(index, 1)[0].resolve(arrived);
    }
  }

  async #answer({ kind, payload }) {
    if (kind === "command") {
      return this.onCommand(payload);
    }
    if (kind !== "interaction") {
      return payload.type === "url_verification" ? { challenge: payload.challenge } : null;
    }
    await this.gate;
    const name = payload.actions?.[0]?.action_id ?? payload.view?.callback_id;
    return (await this.#handlers.get(name)?.(payload)) ?? null;
  }
}

function signed(headers, body) {
  const base = `v0:${headers["x-slack-request-timestamp"]}:${body}`;
  const wanted = Buffer.from(`v0=${createHmac("sha256", SECRET).update(base).digest("hex")}`);
  const given = Buffer.from(String(headers["x-slack-signature"] ?? ""));
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function read(request, body) {
  if (request.url === "/slack/events") {
    return { kind: "event", payload: JSON.parse(body) };
  }
  const form = Object.fromEntries(new URLSearchParams(body));
  return form.payload ? { kind: "interaction", payload: JSON.parse(form.payload) } : { kind: "command", payload: form };
}
