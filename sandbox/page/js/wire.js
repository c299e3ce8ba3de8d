// The live log of what went over the wire, and a count of the calls that change something: where exactly-once can be seen.

import { h, reconcile } from "./dom.js";
import { reader, state } from "./state.js";
import * as time from "./time.js";

const SHOWN = 250;
/** Calls that only look: hidden at first, for a bot that polls would bury the rest. */
const READS = /^(?:aws\.(?:Get|BatchGet|List|Describe|ReceiveMessage|DeleteMessage|AssumeRole|Head)|github\.|opensearch\.|web\.|slack\.(?:auth\.|users\.|usergroups\.|conversations\.(?:info|list|history|replies|members)|chat\.getPermalink))/;
/** What happens at most once for one decision. */
const COUNTED = ["aws.PutApprovalResult", "slack.chat.postMessage", "slack.chat.update", "aws.StopPipelineExecution", "aws.RetryStageExecution", "aws.StartPipelineExecution", "aws.StartBuild", "aws.Invoke", "aws.UpdateEventSourceMapping", "aws.UpdateItem"];

const filter = { reads: false, text: "" };
const countsHost = h("ul", { class: "counts", "aria-label": "Calls carried out", data: { test: "counts" } });
const rowsHost = h("ol", { class: "wire-rows", data: { test: "wire-log" } });
const scroller = h("div", { class: "wire-scroll", tabindex: "0", role: "region", "aria-label": "Wire log" }, rowsHost);
const expanded = new Set();
let atEnd = true;

/** The log. */
export function wireView() {
  const reads = h("input", { type: "checkbox", data: { test: "wire-reads" } });
  reads.addEventListener("change", () => {
    filter.reads = reads.checked;
    drawWire();
  });
  const text = h("input", { class: "text-input small", type: "search", placeholder: "Filter", "aria-label": "Filter the log", data: { test: "wire-filter" } });
  text.addEventListener("input", () => {
    filter.text = text.value.toLowerCase();
    drawWire();
  });
  scroller.addEventListener("scroll", () => {
    atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
  });
  return h(
    "section",
    { class: "wire", "aria-label": "Signed requests and calls" },
    h("div", { class: "log-bar" }, h("h3", { class: "group-title" }, "On the wire"), h("label", { class: "check" }, reads, "reads too"), text),
    countsHost,
    scroller,
  );
}

/** Draws the log. */
export function drawWire() {
  const { entries } = state.log;
  const wanted = entries.filter((entry) => (filter.reads || !isRead(entry)) && matches(entry)).slice(-SHOWN);
  const { tz } = reader();
  reconcile(countsHost, counts(entries), { key: (each) => each.call, sign: JSON.stringify, build: countChip });
  reconcile(rowsHost, wanted, { key: (each) => each.seq, sign: (each) => `${each.seq} ${tz} ${expanded.has(each.seq)}`, build: (each) => row(each, tz) });
  if (atEnd) {
    scroller.scrollTop = scroller.scrollHeight;
  }
}

function isRead(entry) {
  return entry.direction === "received" && READS.test(entry.call) && entry.note === "";
}

function matches(entry) {
  return filter.text === "" || `${entry.call} ${entry.note} ${JSON.stringify(entry.arguments)}`.toLowerCase().includes(filter.text);
}

function counts(entries) {
  return COUNTED.map((call) => {
    const all = entries.filter((entry) => entry.call === call);
    return { call, done: all.filter((entry) => entry.done).length, tried: all.length };
  }).filter((each) => each.tried > 0);
}

function countChip({ call, done, tried }) {
  const name = call.split(".").slice(1).join(".");
  return h(
    "li",
    { class: "count-chip", title: `${call}: carried out ${done} times, ${tried} calls arrived`, data: { test: "count", value: call } },
    h("span", { class: "count-name" }, name),
    h("strong", { class: "count-done" }, `${done}×`),
    tried !== done && h("span", { class: "count-tried" }, `of ${tried} calls`),
  );
}

function row(entry, tz) {
  const open = expanded.has(entry.seq);
  const outcome = outcomeOf(entry);
  const line = h(
    "button",
    { class: `wire-row ${outcome.kind}`, type: "button", "aria-expanded": String(open), data: { test: "wire-entry", value: entry.call } },
    h("span", { class: "wire-time" }, time.precise(entry.at_ms, tz)),
    h("span", { class: `wire-way ${entry.direction}`, title: entry.direction === "sent" ? "signed by the sandbox, to the bot" : "from the bot" }, entry.direction === "sent" ? "→ bot" : "bot →"),
    h("span", { class: "wire-call" }, entry.call),
    h("span", { class: "wire-brief" }, brief(entry)),
    h("span", { class: "wire-outcome", title: outcome.text }, outcome.text),
  );
  line.addEventListener("click", () => {
    if (!expanded.delete(entry.seq)) {
      expanded.add(entry.seq);
    }
    drawWire();
  });
  return h("li", {}, line, open && h("pre", { class: "wire-arguments" }, JSON.stringify(entry.arguments, null, 2)));
}

function outcomeOf(entry) {
  const note = entry.note.replace(/^fault: /, "");
  if (entry.note.startsWith("fault:")) {
    return { kind: "fault", text: `${note.replace("lose_answer", "answer lost")}${entry.done ? " · done" : " · not done"}` };
  }
  if (entry.note !== "") {
    return { kind: "refused", text: note };
  }
  return entry.status >= 200 && entry.status < 300 ? { kind: "ok", text: String(entry.status) } : { kind: "refused", text: entry.status === 0 ? "no answer" : String(entry.status) };
}

/** The few words of a call's arguments that tell it from its neighbors. */
function brief(entry) {
  const a = entry.arguments ?? {};
  const kind = entry.call === "slack.event" ? (a.subtype ?? a.type) : a.action_id;
  const who = a.user && (reader().user(a.user)?.name ?? a.user);
  const said = a.command ? `${a.command} ${a.text ?? ""}` : a.text;
  const parts = [kind, a.command && said, a.pipelineName ?? a.name, a.stageName, a.result?.status, who, a.command ? null : said, a.channel];
  return parts.filter((part) => typeof part === "string" && part !== "").join(" · ").slice(0, 160);
}
