// The "Break something" controls: faults by the name of what one wants to see survive, the bot's life, and the clock.

import { act, remove } from "./api.js";
import { fill, h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { state } from "./state.js";
import { refresh } from "./sync.js";

const BREAKS = [
  { id: "lose-approval", label: "Lose AWS's answer to the approval", note: "PutApprovalResult is carried out, the reply never arrives", fault: { target: "aws.PutApprovalResult", kind: "lose_answer", times: 1 } },
  { id: "lose-post", label: "Lose Slack's answer to a post", note: "chat.postMessage is carried out, the reply never arrives", fault: { target: "slack.chat.postMessage", kind: "lose_answer", times: 1 } },
  { id: "hold-approval", label: "Hold the approval on its way", note: "PutApprovalResult waits until released: kill the bot meanwhile", fault: { target: "aws.PutApprovalResult", kind: "hold_before", times: 1 } },
  { id: "drop-approval", label: "Drop the approval", note: "PutApprovalResult never reaches AWS", fault: { target: "aws.PutApprovalResult", kind: "drop", times: 1 } },
  { id: "throttle-slack", label: "Slack says 429", note: "three calls, Retry-After 3 s", fault: { target: "slack.chat.*", kind: "throttle", retry_after: 3, times: 3 } },
  { id: "throttle-aws", label: "AWS throttles", note: "five calls get ThrottlingException", fault: { target: "aws.*", kind: "throttle", retry_after: 1, times: 5 } },
  { id: "slow-slack", label: "Slack is slow", note: "every call takes 2 s more", fault: { target: "slack.*", kind: "slow", ms: 2000 } },
  { id: "slow-aws", label: "AWS is slow", note: "every call takes 4 s more", fault: { target: "aws.*", kind: "slow", ms: 4000 } },
  { id: "fail-slack", label: "Slack is down", note: "every call answers 500", fault: { target: "slack.*", kind: "fail" } },
  { id: "fail-aws", label: "AWS is down", note: "every call answers 500", fault: { target: "aws.*", kind: "fail" } },
  { id: "fail-github", label: "GitHub is down", note: "what would go out cannot be told", fault: { target: "github.*", kind: "fail" } },
];

const HOUR = 3600;
const JUMPS = [["+1 min", 60], ["+1 h", HOUR], ["+1 d", 24 * HOUR], ["+7 d", 7 * 24 * HOUR]];
const KINDS = [
  ["lose_answer", "lose the answer"], ["drop", "drop"], ["hold_before", "hold before"], ["hold_after", "hold after"], ["throttle", "throttle (429)"],
  ["slow", "be slow"], ["fail", "fail (500)"], ["refuse", "refuse with"],
];

const activeHost = h("ul", { class: "active-faults", "aria-label": "Faults that are set", data: { test: "active-faults" } });
const heldHost = h("div", { class: "held" });
const hostControls = h("div", { class: "host-controls" });
const expire = h("button", { class: "button small", type: "button", data: { test: "expire-approval" } }, icon("clock"), h("span", { class: "expire-text" }));
const failed = h("p", { class: "control-error", role: "alert", hidden: true, data: { test: "break-error" } });

/** The controls. */
export function breaksView() {
  expire.addEventListener("click", () => attempt(() => act("/aws/expire", { pipeline: waitingPipeline() })));
  return h(
    "div",
    { class: "breaks" },
    failed,
    h("div", { class: "active-wrap" }, activeHost, heldHost),
    h("h3", { class: "group-title" }, "The bot and the clock"),
    hostControls,
    h("div", { class: "button-row" }, expire),
    h("h3", { class: "group-title" }, "What goes wrong next"),
    h("div", { class: "break-grid" }, BREAKS.map(breakButton)),
    custom(),
  );
}

/** Draws what is set and grays what needs a host. */
export function drawBreaks() {
  const { faults, held, host } = state.world;
  activeHost.hidden = faults.length === 0;
  reconcile(activeHost, faults, { key: (each) => each.id, sign: JSON.stringify, build: activeRow });
  fill(heldHost, held.length > 0 && heldRow(held));
  const waiting = waitingPipeline();
  expire.disabled = waiting === undefined;
  expire.querySelector(".expire-text").textContent = waiting === undefined ? "Expire the approval: nothing waits" : `Expire the approval of ${waiting}`;
  const available = Boolean(host?.available);
  reconcile(hostControls, [{ available, reason: host?.reason ?? "" }], { key: () => "host", sign: JSON.stringify, build: hostRow });
}

/** The pipeline whose approval has waited longest, by name. */
function waitingPipeline() {
  const open = (state.world.aws.pipelines ?? []).flatMap((pipeline) =>
    pipeline.stages.flatMap((stage) => stage.actions.filter((action) => action.expires_ms).map((action) => ({ name: pipeline.name, since: action.since_ms }))),
  );
  return open.sort((a, b) => a.since - b.since)[0]?.name;
}

/** Does something and shows why it could not be done, if so. */
export async function attempt(work) {
  failed.hidden = true;
  try {
    await work();
    refresh("state");
  } catch (refusal) {
    failed.textContent = refusal.message;
    failed.hidden = false;
  }
}

function breakButton(entry) {
  const button = h(
    "button",
    { class: "break", type: "button", data: { test: `break-${entry.id}` } },
    h("span", { class: "break-label" }, entry.label),
    h("span", { class: "break-note" }, entry.note),
  );
  button.addEventListener("click", () => attempt(() => act("/faults", entry.fault)));
  return button;
}

function describe(fault) {
  const kinds = {
    slow: `slow by ${fault.ms} ms`, throttle: `429, retry after ${fault.retry_after} s`, fail: "fails", refuse: `refused: ${fault.error}`,
    lose_answer: "answer lost", drop: "dropped", hold_before: "held before", hold_after: "held after",
  };
  const left = fault.times === null || fault.times === undefined ? "until removed" : `${fault.times} more`;
  return [kinds[fault.kind] ?? fault.kind, left, fault.struck > 0 && `struck ${fault.struck}`].filter(Boolean).join(" · ");
}

function activeRow(fault) {
  const cross = h("button", { class: "icon-button small", type: "button", "aria-label": `Remove the fault of ${fault.target}`, data: { test: "fault-remove", value: fault.id } }, icon("close"));
  cross.addEventListener("click", () => attempt(() => remove(`/faults/${fault.id}`)));
  return h("li", { class: "active-fault", data: { test: "fault", value: fault.target } }, icon("bolt"), h("span", { class: "fault-text" }, h("code", {}, fault.target), " ", describe(fault)), cross);
}

function heldRow(held) {
  const release = h("button", { class: "button small", type: "button", data: { test: "release" } }, "Let go");
  release.addEventListener("click", () => attempt(() => act("/faults/release")));
  return h("div", { class: "held-row" }, icon("pause"), h("span", {}, "Held: ", h("code", {}, held.join(", "))), release);
}

function hostRow({ available, reason }) {
  const note = !available && h("p", { class: "grayed-reason", id: "host-reason", data: { test: "host-reason" } }, `Grayed: ${reason || "no bot runs inside this sandbox"}.`);
  const properties = (test) => ({ class: "button small", type: "button", disabled: !available, "aria-describedby": available ? null : "host-reason", data: { test } });
  const restart = h("button", { ...properties("restart-bot"), class: "button small danger" }, icon("refresh"), "Kill and restart the bot");
  restart.addEventListener("click", () => {
    restart.setAttribute("aria-busy", "true");
    attempt(() => act("/host/restart")).finally(() => restart.removeAttribute("aria-busy"));
  });
  const jumps = JUMPS.map(([label, seconds]) => {
    const button = h("button", { ...properties("clock-jump"), "aria-label": `Jump the clock by ${label}` }, label);
    button.dataset.value = String(seconds);
    button.addEventListener("click", () => attempt(() => act("/clock/jump", { seconds })));
    return button;
  });
  return h("div", {}, h("div", { class: "button-row" }, restart, h("span", { class: "jumps", role: "group", "aria-label": "Jump the clock" }, icon("clock"), jumps)), note);
}

function custom() {
  const target = h("input", { class: "text-input small", type: "text", "aria-label": "Call", placeholder: "aws.GetPipelineState or slack.*", required: true, data: { test: "fault-target" } });
  const kind = h("select", { class: "select small", "aria-label": "What happens to it", data: { test: "fault-kind" } }, KINDS.map(([value, label]) => h("option", { value }, label)));
  const detail = h("input", { class: "text-input small", type: "text", "aria-label": "Milliseconds, seconds or error code", data: { test: "fault-detail" } });
  const times = h("input", { class: "text-input small times", type: "number", min: 1, "aria-label": "How many times; empty for until removed", placeholder: "∞", data: { test: "fault-times" } });
  const showDetail = () => {
    const names = { slow: "ms", throttle: "seconds", refuse: "error code" };
    detail.hidden = !names[kind.value];
    detail.placeholder = names[kind.value] ?? "";
  };
  kind.addEventListener("change", showDetail);
  showDetail();
  const form = h("form", { class: "custom-fault" }, target, h("span", { class: "select-wrap" }, kind, icon("chevron")), detail, times,
    h("button", { class: "button small", type: "submit", data: { test: "fault-set" } }, "Set"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const extra = { slow: { ms: Number(detail.value) || 1000 }, throttle: { retry_after: Number(detail.value) || 1 }, refuse: { error: detail.value || "fatal_error" } };
    attempt(async () => {
      await act("/faults", { target: target.value.trim(), kind: kind.value, ...extra[kind.value], ...(times.value ? { times: Number(times.value) } : {}) });
      target.value = "";
    });
  });
  return h("details", { class: "more-faults" }, h("summary", { data: { test: "fault-custom" } }, "Any other call"), form);
}
