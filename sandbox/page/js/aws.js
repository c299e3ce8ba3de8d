// The AWS account at the right: what waits, the pipelines, the alarms, and the decisions that the account has accepted; and what else it has.

import { EVENTS, accountView, drawAccount, resourceCount } from "./account.js";
import { act } from "./api.js";
import { append, fill, h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { closePanel } from "./panels.js";
import { pipelineCard } from "./pipeline.js";
import { drawPush, pushView } from "./push.js";
import { reader, state } from "./state.js";
import { refresh } from "./sync.js";
import * as time from "./time.js";

const account = h("span", { class: "panel-note mono" });
const failed = h("p", { class: "control-error", role: "alert", hidden: true, data: { test: "aws-error" } });
const pipelinesHost = h("div", { class: "pipelines" });
const alarmsHost = h("ul", { class: "alarms" });
const approvalsHost = h("ol", { class: "approvals", data: { test: "approvals" } });
const noApprovals = h("p", { class: "quiet" }, "PutApprovalResult has not been called yet.");
const queuesHost = h("p", { class: "quiet mono" });
const resources = h("button", { class: "tab", type: "button", data: { test: "aws-tab", value: "resources" } });
const pipelines = h("button", { class: "tab", type: "button", data: { test: "aws-tab", value: "pipelines" } }, "Pipelines");
const tabs = h("div", { class: "tabs always", role: "group", "aria-label": "Shown of the account" }, pipelines, resources);
const pipelinesTab = h("div", { class: "aws-tab" });
const resourcesTab = h("div", { class: "aws-tab" });
let shown = "pipelines";

/** The panel. */
export function awsView() {
  const cross = h("button", { class: "icon-button", type: "button", "aria-label": "Close the AWS panel", data: { test: "close-aws" } }, icon("close"));
  cross.addEventListener("click", () => closePanel("aws"));
  for (const tab of [pipelines, resources]) {
    tab.addEventListener("click", () => {
      shown = tab.dataset.value;
      drawAws();
    });
  }
  append(
    pipelinesTab,
    pushView(attempt),
    pipelinesHost,
    h("section", { class: "aws-section" }, h("h3", { class: "group-title" }, "Decisions the account accepted"), noApprovals, approvalsHost),
    h("section", { class: "aws-section" }, h("h3", { class: "group-title" }, "Event queues"), queuesHost),
  );
  append(resourcesTab, accountView());
  const alarms = h("section", { class: "aws-section" }, h("h3", { class: "group-title" }, "Alarms"), alarmsHost);
  return [
    h("div", { class: "panel-bar" }, h("h2", { class: "panel-title" }, "AWS account", account), cross),
    h("div", { class: "aws-body" }, failed, tabs, resourcesTab, pipelinesTab, alarms),
  ];
}

/** An account that has nothing but pipelines needs no choice. */
function drawTabs(aws) {
  const count = resourceCount(aws);
  tabs.hidden = count === 0;
  resources.textContent = `Resources ${count}`;
  const open = count === 0 ? "pipelines" : shown;
  for (const [tab, part] of [[pipelines, pipelinesTab], [resources, resourcesTab]]) {
    part.hidden = tab.dataset.value !== open;
    tab.setAttribute("aria-pressed", String(tab.dataset.value === open));
  }
  if (open === "resources") {
    drawAccount(aws, attempt);
  }
}

/** Does something to the account and shows why it could not be done, if so. */
export async function attempt(path, body) {
  failed.hidden = true;
  try {
    const answer = await act(path, body);
    refresh("state");
    return answer;
  } catch (refusal) {
    failed.textContent = refusal.message;
    failed.hidden = false;
    failed.scrollIntoView({ block: "nearest" });
    return null;
  }
}

/** Draws the panel. */
export function drawAws() {
  const { aws } = state.world;
  if (!aws?.pipelines) {
    return;
  }
  const { tz } = reader();
  const minute = Math.floor(reader().now() / 60_000);
  fill(account, `${aws.account} · ${aws.region}`);
  drawTabs(aws);
  drawPush();
  const hasWaiting = (pipeline) => pipeline.stages.some((stage) => stage.actions.some((action) => action.expires_ms));
  // What waits for a person comes first; otherwise the account's own order stays, so that nothing jumps about.
  const ordered = [...aws.pipelines].sort((a, b) => Number(hasWaiting(b)) - Number(hasWaiting(a)));
  reconcile(pipelinesHost, ordered, { key: (each) => each.name, sign: (each) => JSON.stringify([each, tz, minute]), build: (each) => pipelineCard(each, attempt) });
  reconcile(alarmsHost, aws.alarms, { key: (each) => each.name, sign: JSON.stringify, build: alarmRow });
  noApprovals.hidden = aws.approvals.length > 0;
  const numbered = aws.approvals.map((each, at) => ({ ...each, at }));
  reconcile(approvalsHost, numbered.reverse(), { key: (each) => each.at, sign: (each) => JSON.stringify(each) + tz, build: (each) => approvalRow(each, tz) });
  fill(queuesHost, aws.queues.filter((queue) => queue.name === EVENTS).map((queue) => `${queue.name}: ${queue.visible} visible, ${queue.in_flight} in flight`).join("\n"));
}

const STATES = ["OK", "ALARM", "INSUFFICIENT_DATA"];

function alarmRow(alarm) {
  const chooser = h(
    "select",
    { class: "select small", "aria-label": `State of ${alarm.name}`, data: { test: "alarm-state", value: alarm.name } },
    STATES.map((name) => h("option", { value: name, selected: name === alarm.state }, name === "INSUFFICIENT_DATA" ? "No data" : name)),
  );
  chooser.addEventListener("change", () => attempt("/aws/alarm", { name: alarm.name, state: chooser.value, reason: "set on the sandbox's page" }));
  return h(
    "li",
    { class: "alarm", data: { test: "alarm", value: alarm.name } },
    h("span", { class: `lamp ${{ OK: "good", ALARM: "bad" }[alarm.state] ?? "idle"}`, "aria-hidden": "true" }),
    h("span", { class: "alarm-name", title: alarm.reason }, alarm.name),
    h("span", { class: "select-wrap" }, chooser, icon("chevron")),
  );
}

function approvalRow(approval, tz) {
  const good = approval.status === "Approved";
  return h(
    "li",
    { class: "approval", data: { test: "approval", value: approval.status } },
    h("span", { class: `chip ${good ? "good" : "bad"}` }, approval.status),
    h("span", { class: "approval-what" }, `${approval.pipeline} · ${approval.execution.slice(0, 8)}`),
    h("span", { class: "approval-time" }, time.precise(approval.at_ms, tz)),
    h("span", { class: "approval-summary" }, approval.summary || "no summary", h("span", { class: "quiet" }, ` by ${approval.caller.split("/").slice(-2).join("/")}`)),
  );
}
