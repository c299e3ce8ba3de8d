// What the page knows, and who wants to hear when it changes. Views read `state` and draw; only this module and `sync.js` write what came
// from the sandbox.

import { oncePerFrame } from "./dom.js";

/** Everything the page shows. */
export const state = {
  /** The last snapshot of the sandbox, or null before the first. */
  world: null,
  /** Whose eyes: a user's id. */
  me: "U0ANN",
  /** The open channel's id. */
  channel: "C0DEPLOYS",
  /** The open thread's parent, or null. */
  thread: null,
  /** The open channel's messages as this person sees them; `key` tells whose and where, `list` is null until they were read. */
  messages: { key: "", list: null, refusal: null },
  /** Lines that only this page shows: what could not be delivered. */
  notices: [],
  /** The wire log, oldest first. */
  log: { entries: [], last: 0 },
  /** The bot's journal, or why there is none. */
  journal: { rows: [], reason: "" },
  /** Changes whenever names, groups or channels do: part of what a drawn message depends on. */
  directory: "",
  /** The registry for the composer. */
  commands: [],
  /** Which panels are open. */
  panels: { side: false, aws: false, drawer: false },
  /** Whether the stream of changes is up. */
  connected: true,
};

const listeners = new Set();
const draw = oncePerFrame(() => {
  for (const listener of listeners) {
    listener(state);
  }
});

/** Calls a function after every change, at most once a frame. */
export function onChange(listener) {
  listeners.add(listener);
}

/** Says that something in `state` changed. */
export function changed() {
  draw();
}

let base = { sandbox: Date.now(), machine: performance.now(), frozen: false };

/** Takes over the sandbox's clock. */
export function setClock(nowMs, frozen) {
  base = { sandbox: nowMs, machine: performance.now(), frozen };
}

/** The sandbox's time, Unix milliseconds. */
export function now() {
  return base.frozen ? base.sandbox : base.sandbox + (performance.now() - base.machine);
}

const SLACKBOT = { id: "USLACKBOT", real_name: "Slackbot", initials: "S", color: "#4a5568", bot: true };

/** A person (or the bot) by id. */
export function person(id) {
  const slack = state.world?.slack;
  if (!slack) {
    return undefined;
  }
  if (id === "USLACKBOT") {
    return SLACKBOT;
  }
  const found = slack.people.find((each) => each.id === id);
  if (found) {
    return found;
  }
  return id === slack.bot.user || id === slack.bot.bot_id
    ? { id: slack.bot.user, name: slack.bot.name, real_name: slack.bot.name, title: "App", bot: true, initials: "SB", color: "#17424d" }
    : undefined;
}

/** A channel by id. */
export function channelOf(id) {
  return state.world?.slack.channels.find((each) => each.id === id);
}

/** The eyes through which messages are read: who, which zone, and how to resolve ids. */
export function reader() {
  const me = person(state.me);
  return {
    me: state.me,
    tz: me?.tz ?? "UTC",
    now,
    user: (id) => {
      const found = person(id);
      return found && { ...found, name: found.real_name || found.name };
    },
    channel: channelOf,
    group: (id) => state.world?.slack.groups.find((group) => group.id === id),
    people: () => state.world?.slack.people.filter((each) => !each.deleted) ?? [],
    channels: () => channelsOf(state.me),
  };
}

/** The channels that a person is in, and their direct messages. */
export function channelsOf(user) {
  const all = state.world?.slack.channels ?? [];
  return all.filter((each) => (each.kind === "im" ? each.user === user : each.members.includes(user)));
}

let noticeNumber = 0;

/** Shows a line that only this person sees: something could not be delivered. */
export function notice(text, { thread = null, ts = null } = {}) {
  noticeNumber += 1;
  state.notices.push({ id: noticeNumber, text, thread, ts, user: state.me, channel: state.channel, at: now() });
  changed();
}

/** The sentence for what Slack would tell a person whose click or command did not arrive. */
export function deliveryError(code, what) {
  const sentences = {
    operation_timeout: `${what} did not get an answer within 3 seconds. It may have arrived all the same. (operation_timeout)`,
    dispatch_failed: `${what} failed because the app did not respond. (dispatch_failed)`,
  };
  return sentences[code] ?? `${what} failed with the error “${code}”.`;
}
