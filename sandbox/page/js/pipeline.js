// One pipeline: its stages as a line of lamps, what waits for a person, its executions, and the controls of the stage directions.

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { reader } from "./state.js";
import * as time from "./time.js";

const SHOWN = 4;
const STATUS = {
  Succeeded: ["good", "check"], Failed: ["bad", "cross"], InProgress: ["busy", "refresh"], Stopped: ["idle", "stop"], Stopping: ["idle", "stop"],
  Superseded: ["idle", "right"], Cancelled: ["idle", "cross"], Abandoned: ["idle", "stop"],
};
const expandedRuns = new Set();

/** A pipeline's card. `attempt(path, body)` does something to the account. */
export function pipelineCard(pipeline, attempt) {
  const eyes = reader();
  const waiting = waitingIn(pipeline);
  return h(
    "section",
    { class: `pipeline${waiting ? " waits" : ""}`, "aria-label": `Pipeline ${pipeline.name}`, data: { test: "pipeline", value: pipeline.name } },
    h(
      "div",
      { class: "pipeline-head" },
      h("h3", { class: "pipeline-name" }, pipeline.name),
      h("span", { class: "pipeline-mode", title: "Execution mode" }, pipeline.mode.toLowerCase()),
    ),
    h("p", { class: "pipeline-source", title: pipeline.source.text }, pipeline.source.text),
    h("ol", { class: "stages" }, pipeline.stages.map((stage) => stageItem(pipeline, stage, attempt))),
    waiting && waitingRow(pipeline, waiting, { attempt, eyes }),
    executions(pipeline, eyes),
  );
}

function waitingIn(pipeline) {
  for (const stage of pipeline.stages) {
    const action = stage.actions.find((each) => each.expires_ms);
    if (action) {
      return { stage, action, execution: pipeline.executions.find((each) => each.id === action.execution) };
    }
  }
  return null;
}

/** Whether what a stage shows is of an earlier run than the one that is on its way to it. */
function ofEarlierRun(pipeline, stage) {
  const open = pipeline.executions.find((each) => each.status === "InProgress");
  const here = pipeline.stages.findIndex((each) => each.name === open?.stage);
  return here !== -1 && pipeline.stages.indexOf(stage) > here && !stage.actions.some((action) => action.status === "InProgress");
}

/** How a stage stands: the newest of its actions that matters. */
function standing(stage) {
  const now = stage.actions.find((action) => action.status === "InProgress") ?? stage.actions.find((action) => action.status === "Failed");
  const last = now ?? stage.actions.at(-1);
  if (stage.held && stage.inside.length > 0) {
    return { kind: "held", name: "pause", text: "held" };
  }
  if (last?.expires_ms) {
    return { kind: "waits", name: "person", text: "waits for approval" };
  }
  const [kind, name] = STATUS[last?.status] ?? ["idle", "more"];
  return { kind, name, text: last?.status ?? "not run yet" };
}

function stageItem(pipeline, stage, attempt) {
  const { kind, name, text } = standing(stage);
  const body = { pipeline: pipeline.name, stage: stage.name };
  const notes = [text, stage.held && "held", stage.fail_next && "the next action fails", !stage.enabled && `closed: ${stage.disabled_reason ?? "no reason given"}`, stage.waiting.length > 0 && `${stage.waiting.length} at the door`].filter(Boolean);
  const opener = h(
    "button",
    { class: "stage", type: "button", title: `${stage.name}: ${notes.join(", ")}`, "aria-label": `Stage ${stage.name}: ${notes.join(", ")}. Controls`, data: { test: "stage", value: stage.name } },
    h("span", { class: `stage-lamp ${kind}${ofEarlierRun(pipeline, stage) ? " past" : ""}` }, icon(name)),
    h("span", { class: "stage-name" }, stage.name),
    stage.waiting.length > 0 && h("span", { class: "stage-queue", "aria-hidden": "true" }, `+${stage.waiting.length}`),
    stage.fail_next && h("span", { class: "stage-flag", "aria-hidden": "true" }, "!"),
  );
  const broken = pipeline.executions.find((each) => each.status === "Failed" && each.stage === stage.name);
  menu(opener, [
    broken && { label: "Retry what failed", note: broken.id.slice(0, 8), test: "stage-retry", choose: () => attempt("/aws/retry", { ...body, execution: broken.id }) },
    { label: "Fail it", note: "what runs now, or what ends here next", test: "stage-fail", choose: () => attempt("/aws/fail", { ...body, message: `${stage.name} failed: exit status 1` }) },
    stage.held
      ? { label: "Let it go on", test: "stage-release", choose: () => attempt("/aws/hold", { ...body, held: false }) }
      : { label: "Hold it", note: "its action does not end until let go", test: "stage-hold", choose: () => attempt("/aws/hold", { ...body, held: true }) },
    { label: stage.enabled ? "Close the door in front of it" : "Open the door in front of it", test: "stage-door", choose: () => attempt("/aws/transition", { ...body, enabled: !stage.enabled }) },
  ].filter(Boolean), { label: `Stage ${stage.name}` });
  return h("li", { class: `stage-item${stage.enabled ? "" : " shut"}` }, opener);
}

function waitingRow(pipeline, { stage, action, execution }, { attempt, eyes }) {
  const left = action.expires_ms - eyes.now();
  const decide = h("button", { class: "button small", type: "button", data: { test: "decide-in-console" } }, "Decide in the console");
  const body = { pipeline: pipeline.name, execution: action.execution };
  const choose = (status) => () => attempt("/aws/decide", { ...body, status, user: "kim", summary: "decided in the console" });
  menu(decide, [
    { label: "Approve, as the IAM user kim", test: "console-approve", choose: choose("Approved") },
    { label: "Reject, as the IAM user kim", test: "console-reject", choose: choose("Rejected") },
  ], { label: "Decide in the console" });
  const expire = h("button", { class: "button small", type: "button", data: { test: "expire" } }, "Expire");
  expire.addEventListener("click", () => attempt("/aws/expire", { pipeline: pipeline.name }));
  const stop = h("button", { class: "button small", type: "button", data: { test: "stop-execution" } }, "Stop");
  stop.addEventListener("click", () => attempt("/aws/stop", { ...body, abandon: true, reason: "stopped in the console" }));
  return h(
    "div",
    { class: "waiting", data: { test: "waiting-approval" } },
    h("p", { class: "waiting-line" }, h("strong", {}, `${stage.name} waits for a person`), ` · gives up in ${time.span(left)}`),
    h("p", { class: "waiting-what" }, revisionText(execution?.revision)),
    h("div", { class: "button-row" }, decide, expire, stop),
  );
}

function revisionText(revision) {
  if (!revision) {
    return "no revision yet";
  }
  const id = (revision.git_commit ?? revision.id).slice(0, 7);
  return [h("code", {}, id), " ", summaryOf(revision), revision.git_ref && h("span", { class: "quiet" }, ` ${revision.git_ref}`)];
}

/** A connection's summary is JSON in a string, an object's is plain. */
function summaryOf(revision) {
  const text = revision.summary ?? "";
  try {
    return String(JSON.parse(text).CommitMessage ?? text).split("\n")[0];
  } catch {
    return text.split("\n")[0];
  }
}

function executions(pipeline, eyes) {
  const all = pipeline.executions;
  if (all.length === 0) {
    return h("p", { class: "quiet" }, "Nothing has run yet.");
  }
  const open = expandedRuns.has(pipeline.name);
  const list = h("ol", { class: "executions" });
  fill(list, (open ? all : all.slice(0, SHOWN)).map((execution) => executionRow(execution, eyes)));
  if (all.length <= SHOWN) {
    return list;
  }
  const more = h("button", { class: "text-button", type: "button", data: { test: "more-executions" } }, open ? "Show fewer" : `Show ${all.length - SHOWN} older`);
  more.addEventListener("click", () => {
    if (!expandedRuns.delete(pipeline.name)) {
      expandedRuns.add(pipeline.name);
    }
    list.parentElement.replaceWith(executions(pipeline, eyes));
  });
  return h("div", {}, list, more);
}

function executionRow(execution, eyes) {
  const [kind] = STATUS[execution.status] ?? ["idle"];
  const where = execution.status === "InProgress" ? `${execution.at_door ? "before " : ""}${execution.stage ?? ""}` : execution.status;
  return h(
    "li",
    { class: "execution", title: `${execution.id}\n${execution.trigger?.type ?? ""}`, data: { test: "execution", value: execution.status } },
    h("span", { class: `lamp ${kind}`, "aria-hidden": "true" }),
    h("span", { class: "execution-what" }, revisionText(execution.revision)),
    h("span", { class: `execution-status ${kind}` }, where),
    h("time", { class: "execution-time", datetime: new Date(execution.started_ms).toISOString(), title: time.full(execution.started_ms, eyes.tz) }, time.brief(execution.started_ms, eyes.tz, eyes.now())),
  );
}
