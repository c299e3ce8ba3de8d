// "Push a commit": the beginning of every story. The form is filled in with something plausible, so that one click starts a run.

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { state } from "./state.js";

const STORIES = [
  { message: "Retry a transaction that the node refused", files: "src/txProcessor.ts\ntests/txProcessor.test.ts" },
  { message: "Add an index on address balances", files: "db/migrations/20261121-address-balance-index.js\nsrc/db/index.ts" },
  { message: "Do not log the whole event", files: "src/logger.ts" },
  { message: "Shorten the time out of push notifications", files: "src/push/send.ts\nsrc/config.ts" },
  { message: "Return 400 for an invalid tx id", files: "src/api/tx.ts\ntests/api/tx.test.ts" },
];

let story = 0;
let authorsFor = "";
const target = h("select", { class: "select small", id: "push-target", data: { test: "push-pipeline" } });
const refs = h("datalist", { id: "push-refs" });
const ref = h("input", { class: "text-input small", id: "push-ref", type: "text", required: true, list: "push-refs", autocomplete: "off", data: { test: "push-ref" } });
const message = h("input", { class: "text-input small", id: "push-message", type: "text", required: true, data: { test: "push-message" } });
const author = h("select", { class: "select small", id: "push-author", data: { test: "push-author" } });
const files = h("textarea", { class: "text-input small mono", id: "push-files", rows: 2, data: { test: "push-files" } });

const more = h("span", {});

function labeled(label, control) {
  const wrapped = control.tagName === "SELECT" ? h("span", { class: "select-wrap" }, control, icon("chevron")) : control;
  return h("div", { class: "push-field" }, h("label", { for: control.id }, label), wrapped);
}

/** The form. */
export function pushView(attempt) {
  const send = h("button", { class: "button primary small", type: "submit", data: { test: "push-send" } }, "Push");
  const form = h(
    "form",
    { class: "push", "aria-labelledby": "push-title" },
    h("h3", { class: "group-title push-title", id: "push-title" }, icon("commit"), "Push a commit"),
    labeled("Pipeline", target),
    labeled("Branch or tag", ref),
    refs,
    h("div", { class: "push-line" }, labeled("Message", message), send),
    h("details", { class: "push-more" }, h("summary", { data: { test: "push-more" } }, more), labeled("Author", author), labeled("Files, one a line", files)),
  );
  target.addEventListener("change", () => {
    ref.value = defaultRef(target.value);
    suggestRefs();
  });
  author.addEventListener("change", summarize);
  files.addEventListener("input", summarize);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.setAttribute("aria-busy", "true");
    const done = await attempt("/aws/push", body());
    send.removeAttribute("aria-busy");
    if (done) {
      story += 1;
      tell();
    }
  });
  tell();
  return form;
}

function fileList() {
  return files.value.split("\n").map((line) => line.trim()).filter(Boolean);
}

function summarize() {
  const count = fileList().length;
  more.textContent = `by ${author.selectedOptions[0]?.textContent ?? "…"}, ${count} ${count === 1 ? "file" : "files"}`;
}

function tell() {
  const { message: text, files: list } = STORIES[story % STORIES.length];
  message.value = text;
  files.value = list;
  summarize();
}

function body() {
  const who = state.world.slack.people.find((each) => each.id === author.value);
  return {
    pipeline: target.value,
    git_ref: ref.value.trim(),
    message: message.value.trim(),
    author: { name: who?.real_name ?? "Somebody Else", email: who?.email ?? "somebody@example.com" },
    files: fileList(),
  };
}

/** The repository behind a pipeline: its source names it, or for an object in a bucket the pipeline's own name does. */
function repositoryOf(name) {
  const { aws, github } = state.world;
  const source = aws.pipelines.find((each) => each.name === name)?.source;
  const full = source?.kind === "github" ? source.text.split(" ")[0] : undefined;
  return (github.repositories ?? []).find((each) => (full ? each.name === full : each.name.endsWith(`/${name}`)));
}

function defaultRef(name) {
  const source = state.world.aws.pipelines.find((each) => each.name === name)?.source;
  return source?.kind === "github" ? source.text.split(" ").at(-1) : (repositoryOf(name)?.default_branch ?? "master");
}

/** Branches, and the version that would come next. */
function suggestRefs() {
  const repository = repositoryOf(target.value);
  const versions = Object.keys(repository?.tags ?? {}).map((tag) => /^v(\d+)\.(\d+)\.(\d+)$/.exec(tag)?.slice(1).map(Number)).filter(Boolean);
  const newest = versions.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]).at(-1);
  const next = newest ? `v${newest[0]}.${newest[1]}.${newest[2] + 1}` : "v1.0.0";
  fill(refs, [...Object.keys(repository?.branches ?? {}), next].map((name) => h("option", { value: name })));
}

/** Draws the choices, without touching what was chosen. */
export function drawPush() {
  const { aws, slack } = state.world;
  const sign = JSON.stringify([aws.pipelines.map((each) => each.name), slack.people.map((each) => each.id), state.world.github]);
  if (sign === authorsFor) {
    return;
  }
  authorsFor = sign;
  const [chosen, writer] = [target.value, author.value];
  fill(target, aws.pipelines.map((each) => h("option", { value: each.name, selected: each.name === chosen }, each.name)));
  const people = slack.people.filter((each) => !each.is_stranger && !each.deleted);
  fill(author, people.map((each) => h("option", { value: each.id, selected: each.id === (writer || "U0DANA") }, each.real_name)), h("option", { value: "" }, "somebody unknown to Slack"));
  if (ref.value === "") {
    ref.value = defaultRef(target.value);
  }
  suggestRefs();
  summarize();
}
