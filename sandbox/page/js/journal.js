// The bot's journal, row by row as the host gives it: the page knows no more of it than that rows are flat.

import { fill, h, reconcile } from "./dom.js";
import { reader, state } from "./state.js";
import * as time from "./time.js";

const journalHost = h("ol", { class: "journal-rows", data: { test: "journal" } });
const journalScroll = h("div", { class: "wire-scroll", tabindex: "0", role: "region", "aria-label": "Journal" }, journalHost);
const journalReason = h("p", { class: "grayed-reason", hidden: true, data: { test: "journal-reason" } });

/** The bot's journal. */
export function journalView() {
  return h("section", { class: "journal", "aria-label": "The bot's journal" }, h("div", { class: "log-bar" }, h("h3", { class: "group-title" }, "The bot's journal")), journalReason, journalScroll);
}

/** Draws the journal. */
export function drawJournal() {
  const { rows, reason } = state.journal;
  journalReason.hidden = reason === "";
  fill(journalReason, reason && `Grayed: ${reason}`);
  const { tz } = reader();
  const end = journalScroll.scrollHeight - journalScroll.scrollTop - journalScroll.clientHeight < 40;
  const keyed = rows.map((entry, at) => ({ entry, key: `${at} ${entry.mac ?? ""}` }));
  reconcile(journalHost, keyed, { key: (each) => each.key, sign: (each) => JSON.stringify(each.entry) + tz, build: (each) => journalRow(each.entry, tz) });
  if (end) {
    journalScroll.scrollTop = journalScroll.scrollHeight;
  }
}

const HEAD = ["event", "kind", "what", "type"];
/** Told by the row's first line or its place. */
const TOLD = ["at_ms", "time_ms", "actor", "service", "record", "seq"];

function journalRow(entry, tz) {
  const at = entry.at_ms ?? entry.time_ms;
  const head = HEAD.find((name) => typeof entry[name] === "string");
  const said = entry[head] ?? "row";
  const rest = Object.entries(entry).filter(([name, value]) => !TOLD.includes(name) && name !== head && value !== null && value !== "" && value !== said);
  const place = [entry.service, entry.record].filter(Boolean).join(" ") + (entry.seq === undefined ? "" : ` #${entry.seq}`);
  return h(
    "li",
    { class: "journal-row", data: { test: "journal-row", value: said } },
    h(
      "div",
      { class: "journal-line" },
      at !== undefined && h("span", { class: "wire-time" }, time.precise(at, tz)),
      h("strong", { class: "journal-head" }, said),
      entry.actor && h("span", { class: "journal-actor", title: full(entry.actor) }, actorName(entry.actor)),
    ),
    h("div", { class: "journal-rest" },
      h("span", { class: "journal-pair" }, place),
      rest.map(([name, value]) => h("span", { class: "journal-pair" }, h("span", { class: "journal-name" }, name), " ", h("span", { title: full(value) }, short(name, value))))),
  );
}

function actorName(actor) {
  return (typeof actor === "string" && reader().user(actor)?.name) || short("actor", actor);
}

function full(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Digests are recognized by their beginning. */
function short(name, value) {
  const text = full(value);
  return /mac|hash|digest/.test(name) && text.length > 12 ? `${text.slice(0, 10)}…` : text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

