// Keeping up with the sandbox: a stream says what changed, and only that is read again. Bursts are taken together, and one read of a
// kind is under way at a time, so that a busy bot cannot make the page fall behind.

import { read } from "./api.js";
import { changed, setClock, state } from "./state.js";

const GATHER_MS = 40;
const KEPT_ENTRIES = 2000;
const READS = { state: readState, messages: readMessages, log: readLog, journal: readJournal, commands: readCommands };
const CAUSES = {
  slack: ["state", "messages"],
  aws: ["state"],
  git_hub: ["state"],
  services: ["state"],
  log: ["log", "journal"],
  clock: ["state", "messages"],
  faults: ["state"],
};

const due = new Set();
const busy = new Set();
let timer = 0;

/** Reads parts of the state again soon: `state`, `messages`, `log`, `journal`, `commands`. */
export function refresh(...parts) {
  for (const part of parts) {
    due.add(part);
  }
  if (timer === 0) {
    timer = setTimeout(flush, GATHER_MS);
  }
}

function flush() {
  timer = 0;
  for (const part of [...due]) {
    if (!busy.has(part)) {
      due.delete(part);
      run(part);
    }
  }
}

async function run(part) {
  busy.add(part);
  try {
    await READS[part]();
  } catch (refusal) {
    state.connected = refusal.status !== 0 && state.connected;
  } finally {
    busy.delete(part);
    changed();
    if (due.size > 0) {
      refresh();
    }
  }
}

/** Reads the parts now and waits for them: for what was just done by hand. */
export async function refreshNow(...parts) {
  await Promise.allSettled(parts.map((part) => READS[part]()));
  changed();
}

async function readState() {
  const world = await read("/state");
  state.world = world;
  const { people, groups, channels } = world.slack;
  if (!people.some((each) => each.id === state.me)) {
    // An address that names nobody: look through the first one's eyes.
    state.me = people[0]?.id ?? state.me;
  }
  state.directory = hash(JSON.stringify([people, groups, channels.map(({ id, name }) => [id, name])]));
  setClock(world.now_ms, world.frozen);
}

function hash(text) {
  let sum = 0;
  for (let at = 0; at < text.length; at += 1) {
    sum = (Math.imul(sum, 31) + text.charCodeAt(at)) | 0;
  }
  return String(sum);
}

async function readMessages() {
  const { channel, me } = state;
  const key = `${channel} ${me}`;
  let answer = { messages: [] };
  let refusal = null;
  try {
    answer = await read("/messages", { channel, user: me });
  } catch (error) {
    if (error.status === 0) {
      throw error;
    }
    refusal = error;
  }
  // The person may have gone elsewhere while this was on its way.
  if (key === `${state.channel} ${state.me}`) {
    state.messages = { key, list: answer.messages, refusal };
    seen.set(key, state.messages);
  }
}

const seen = new Map();

/** Shows what was last read of the open channel, at once, and reads it again. */
export function openChannel() {
  const key = `${state.channel} ${state.me}`;
  state.messages = seen.get(key) ?? { key, list: null, refusal: null };
  refresh("messages");
}

async function readLog() {
  const answer = await read("/log", { since: state.log.last });
  if (answer.last < state.log.last) {
    // The sandbox was started anew and counts from one again.
    state.log = { entries: [], last: 0 };
    refresh("log");
    return;
  }
  const known = state.log.last;
  const fresh = answer.entries.filter((entry) => entry.seq > known);
  state.log = { entries: [...state.log.entries, ...fresh].slice(-KEPT_ENTRIES), last: answer.last };
}

async function readJournal() {
  if (!state.panels.drawer) {
    return;
  }
  const { host } = state.world;
  if (!host.available) {
    state.journal = { rows: [], reason: `${host.reason}.` };
    return;
  }
  try {
    const { rows } = await read("/host/journal", { limit: 200 });
    state.journal = { rows, reason: "" };
  } catch (refusal) {
    state.journal = { rows: [], reason: refusal.message };
  }
}

async function readCommands() {
  state.commands = (await read("/host/commands")).commands;
}

/** Listens for changes for as long as the page is open. */
export function listen() {
  const stream = new EventSource("/control/changes");
  stream.addEventListener("message", (event) => {
    refresh(...causesOf(event.data));
  });
  stream.addEventListener("open", () => {
    state.connected = true;
    // What happened while the stream was down left no hint.
    refresh("state", "messages", "log", "journal", "commands");
  });
  stream.addEventListener("error", () => {
    state.connected = false;
    changed();
  });
}

function causesOf(data) {
  try {
    return CAUSES[JSON.parse(data).what] ?? [];
  } catch {
    return [];
  }
}

/** Reads what the page needs before it can show anything. */
export async function start() {
  await readState();
  await Promise.allSettled([readMessages(), readCommands(), readLog(), readJournal()]);
  changed();
}
