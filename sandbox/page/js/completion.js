// What a composer offers while one types. Pure: from a text and a caret to a list of offers, so that tests need no browser.
//
// An offer is `{kind, id, label, detail, summary, from, to, insert}`: taking it replaces `from`..`to` by `insert`.

import { findEmoji } from "./emoji.js";

const LIMIT = 8;

/** The offers for a text with the caret at `caret`; `source` is `{commands, people, channels, groups}`. */
export function complete(text, caret, source) {
  const before = text.slice(0, caret);
  if (before.startsWith("/") && !before.includes("\n")) {
    const commands = completeCommand(before, source.commands);
    if (commands.length > 0) {
      return commands;
    }
  }
  const word = /(^|[\s(])([@#:])([\p{L}\p{N}_.+-]*)$/u.exec(before);
  if (!word) {
    return [];
  }
  const from = caret - word[3].length - 1;
  const typed = word[3].toLowerCase();
  const finders = { "@": completePerson, "#": completeChannel, ":": completeEmoji };
  return finders[word[2]](typed, source).slice(0, LIMIT).map((offer) => ({ ...offer, from, to: caret }));
}

function completePerson(typed, { people, groups }) {
  const fits = (...names) => names.some((name) => name && (name.toLowerCase().startsWith(typed) || name.toLowerCase().includes(` ${typed}`)));
  const found = people.filter((each) => fits(each.name, each.real_name)).map((each) => ({
    kind: "person", id: each.id, label: each.real_name || each.name, detail: `@${each.name}`, summary: each.role ?? each.title ?? "", insert: `@${each.name} `,
  }));
  const teams = groups.filter((each) => fits(each.handle, each.name)).map((each) => ({
    kind: "group", id: each.id, label: `@${each.handle}`, detail: each.name, summary: `${each.users.length} people`, insert: `@${each.handle} `,
  }));
  return [...found, ...teams];
}

function completeChannel(typed, { channels }) {
  return channels.filter((each) => each.name.startsWith(typed)).map((each) => ({
    kind: "channel", id: each.id, label: `#${each.name}`, detail: each.topic ?? "", summary: "", insert: `#${each.name} `,
  }));
}

function completeEmoji(typed) {
  // `10:30` and `http:` are not the beginning of a code.
  return typed.length < 2 ? [] : findEmoji(typed, LIMIT).map(({ code, character }) => ({
    kind: "emoji", id: code, label: `:${code}:`, detail: "", summary: "", character, insert: `:${code}: `,
  }));
}

/** The registry's rows, each verb by itself: a usage `lock|unlock <env>` is two. */
export function expand(commands) {
  return commands.flatMap((entry) => {
    const usage = (entry.usage ?? "").trim();
    const first = /^[^\s<[]+/.exec(usage)?.[0] ?? "";
    const verbs = first.includes("|") ? first.split("|") : [first];
    return verbs.map((verb) => ({ command: entry.command, literal: literal(verb, usage.slice(first.length)), rest: rest(verb, usage.slice(first.length)), summary: entry.summary ?? "" }));
  });
}

/** The words that are typed as they stand; what follows them is a placeholder. */
function literal(verb, tail) {
  const words = /^(?:\s+[^\s<[|]+(?=\s|$))*/.exec(tail)[0];
  return verb + words;
}

function rest(verb, tail) {
  return (verb + tail).slice(literal(verb, tail).length).trim();
}

function completeCommand(before, commands) {
  const rows = expand(commands).map((row) => ({ ...row, full: `${row.command} ${row.literal}`.trim() }));
  const fitting = rows.filter((row) => row.full.startsWith(before.trimEnd()) && before.length <= row.full.length);
  const begun = rows.filter((row) => !fitting.includes(row) && before.startsWith(`${row.full} `) && row.literal !== "");
  // Among the verbs already typed the longest is meant: `migrate start` rather than `migrate`.
  const longest = Math.max(0, ...begun.map((row) => row.full.length));
  return [...fitting, ...begun.filter((row) => row.full.length === longest)].map((row) => ({
    kind: "command", id: row.full, label: row.full, detail: row.rest, summary: row.summary, from: 0, to: before.length,
    // Arguments that were typed already are kept: then the row is only a reminder of what may follow.
    insert: fitting.includes(row) ? `${row.full} ` : before,
  }));
}
