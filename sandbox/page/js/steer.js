// Rows of the account with controls: what people, consumers and jobs would do to it. A row is made once; its `draw` tells it what is new and leaves
// alone what is being typed.

import { fill, h, reconcile } from "./dom.js";
import { reader } from "./state.js";
import * as time from "./time.js";

const SHOWN_BUILDS = 3;
const BUILD_LAMPS = { SUCCEEDED: "good", IN_PROGRESS: "busy", FAILED: "bad", FAULT: "bad", TIMED_OUT: "bad" };
/** What the log of a build that fails says, unless somebody writes something else. */
const FAILURE = "Error: the script gave up";

const grouped = (number) => number.toLocaleString("en-US");
const fact = (name, number) => [h("b", {}, grouped(number)), ` ${name}`];

function button(label, { test, value, spoken }, act) {
  const made = h("button", { class: "button small", type: "button", "aria-label": spoken, data: { test, value } }, h("span", { class: "button-text" }, label));
  made.addEventListener("click", async () => {
    made.setAttribute("aria-busy", "true");
    await act();
    made.removeAttribute("aria-busy");
  });
  return made;
}

function number(label, { test, value, start, step = 1 }) {
  return h("input", { class: "text-input small number", type: "number", min: 0, step, value: start, inputmode: "decimal", "aria-label": label, data: { test, value } });
}

const chosen = (input) => Math.max(0, Number(input.value) || 0);

/** A queue: what is in it, and messages that come, fail or are worked off. */
export function queueRow({ name }, deed) {
  const facts = h("p", { class: "res-line" });
  const drained = h("p", { class: "res-line quiet" });
  const how = h("span", { class: "chip" });
  const many = number(`How many messages, for ${name}`, { test: "queue-count", value: name, start: 10 });
  const rate = number(`How many messages are worked off a second, for ${name}`, { test: "queue-rate", value: name, start: 2, step: "any" });
  let held = 0;
  const send = (what, body) => deed({ sqs: { [what]: { queue: name, ...body } } });
  const put = button("Put", { test: "queue-put", value: name, spoken: `Put so many messages into ${name}` }, () => send("put", { count: chosen(many) }));
  const fail = button("Dead letters", { test: "queue-fail", value: name, spoken: `So many messages of ${name} fail for good` }, () => send("fail", { count: chosen(many) }));
  const clear = button("Empty", { test: "queue-clear", value: name, spoken: `Empty ${name}` }, () => send("clear", {}));
  const drain = button("Drain", { test: "queue-drain", value: name, spoken: `Work so many messages of ${name} off a second` }, () => send("drain", { per_second: chosen(rate), in_flight: held }));
  const item = h(
    "li",
    { class: "res", data: { test: "queue", value: name } },
    h("div", { class: "res-head" }, h("span", { class: "res-name" }, name), how),
    facts,
    drained,
    h("div", { class: "steer", role: "group", "aria-label": `Steer ${name}` }, many, put, fail, clear, h("span", { class: "steer-pair" }, rate, h("span", { class: "steer-word" }, "a second"), drain)),
  );
  item.draw = (queue) => {
    held = queue.drain?.in_flight ?? 0;
    fill(facts, fact("visible", queue.visible), " · ", fact("in flight", queue.in_flight), " · ", fact("delayed", queue.delayed));
    const left = queue.visible + queue.in_flight + queue.delayed;
    const rated = queue.drain && (left > 0 ? `worked off at ${queue.drain.per_second} a second, ${time.span((left / queue.drain.per_second) * 1000)} left` : `a consumer takes ${queue.drain.per_second} a second`);
    drained.textContent = [queue.dead_letters && `dead letters go to ${queue.dead_letters}`, rated].filter(Boolean).join(" · ");
    drained.hidden = drained.textContent === "";
    fail.hidden = !queue.dead_letters;
    how.hidden = !queue.holdsDead;
    how.textContent = "dead letters";
    how.className = `chip ${queue.holdsDead && left > 0 ? "bad" : ""}`;
  };
  return item;
}

/** A function: its level, what feeds it, and how many of its invocations err. */
export function functionRow({ name }, deed) {
  const head = h("summary", { class: "res-head", data: { test: "function-toggle", value: name } });
  const facts = h("p", { class: "res-line" });
  const variables = h("p", { class: "res-line quiet" });
  const mappings = h("ul", { class: "mappings" });
  const errors = number(`Errors a minute, of ${name}`, { test: "function-errors", value: name, start: 0 });
  const invocations = number(`Invocations a minute, of ${name}`, { test: "function-invocations", value: name, start: 120 });
  const measured = (metric, value) => ({ metrics: { steady: { namespace: "AWS/Lambda", name: metric, dimensions: { FunctionName: name }, value } } });
  const set = button("Set", { test: "function-set", value: name, spoken: `From now on so many invocations of ${name} err` },
    () => deed(measured("Errors", chosen(errors)), measured("Invocations", chosen(invocations))));
  const body = h("div", { class: "res-body" }, facts, mappings, variables,
    h("div", { class: "steer", role: "group", "aria-label": `Steer ${name}` }, errors, h("span", { class: "steer-word" }, "errors of"), invocations, h("span", { class: "steer-word" }, "a minute"), set));
  const item = h("li", { class: "res", data: { test: "function", value: name } }, h("details", {}, head, body));
  let shown = "";
  item.draw = (each) => {
    const sign = JSON.stringify(each);
    if (sign !== shown) {
      shown = sign;
      drawHead(head, each);
      fill(facts, counted(each.counted));
      variables.textContent = each.variables.length > 0 ? `Variables: ${each.variables.join(", ")}` : "No variables";
      reconcile(mappings, each.mappings, { key: (mapping) => mapping.uuid, sign: JSON.stringify, build: (mapping) => mappingRow(mapping, deed) });
    }
  };
  return item;
}

function drawHead(head, each) {
  const erring = each.counted.errors > 0;
  fill(
    head,
    h("span", { class: "res-name" }, each.name),
    each.mappings.map(({ state }) => h("span", { class: `chip ${state === "Enabled" ? "good" : ""}` }, { Enabled: "fed", Disabled: "not fed" }[state] ?? state.toLowerCase())),
    erring && h("span", { class: "chip bad" }, `${percent(each.counted)} err`),
    each.updating && h("span", { class: "chip busy" }, "updating"),
    each.log_level && h("span", { class: "chip", title: "LOG_LEVEL" }, each.log_level),
  );
}

function percent({ errors, invocations }) {
  return invocations > 0 ? `${((100 * errors) / invocations).toFixed(1).replace(/\.0$/, "")} %` : grouped(errors);
}

function counted(all) {
  if (all.invocations === null && all.errors === null) {
    return "Nothing was measured yet.";
  }
  return `${grouped(all.errors ?? 0)} of ${grouped(all.invocations ?? 0)} invocations erred in ${all.minutes} min (${percent({ errors: all.errors ?? 0, invocations: all.invocations ?? 0 })}).`;
}

/** What feeds a function: the queue or table, and whether it does. */
function mappingRow(mapping, deed) {
  const on = mapping.state === "Enabled" || mapping.state === "Enabling";
  const source = mapping.source.replace(/^arn:aws:\w+:[\w-]*:\d*:/, "").replace(/\/stream\/.*$/, "'s stream");
  const turn = button(on ? "Turn off" : "Turn on", { test: "mapping-switch", value: mapping.function, spoken: `Turn what feeds ${mapping.function} ${on ? "off" : "on"}` },
    () => deed({ lambda: { switch: { function: mapping.function, enabled: !on } } }));
  return h("li", { class: "mapping", data: { test: "mapping", value: mapping.function } },
    h("span", { class: `lamp ${mapping.state === "Enabled" ? "good" : mapping.state === "Disabled" ? "idle" : "busy"}`, "aria-hidden": "true" }),
    h("span", { class: "mapping-what" }, `${source}: ${mapping.state.toLowerCase()}`), turn);
}

/** A build project: what its newest builds came to, what the next will, and how long they take. */
export function buildRow({ name, seconds }, deed) {
  const head = h("summary", { class: "res-head", data: { test: "project-toggle", value: name } });
  const list = h("ol", { class: "builds" });
  const coming = h("p", { class: "res-line quiet" });
  const words = h("input", { class: "text-input small", type: "text", value: FAILURE, "aria-label": `What the log of ${name} says when it fails`, data: { test: "project-words", value: name } });
  const pace = number(`How many seconds a build of ${name} takes`, { test: "project-seconds", value: name, start: seconds });
  const act = (what, body) => deed({ codebuild: { [what]: { project: name, ...body } } });
  // What a build says of itself is that a command failed; why, its log tells.
  const fails = () => ({ outcome: "FAILED", lines: [words.value.trim() || FAILURE], seconds: chosen(pace) || 1 });
  const fail = button("Fail the next", { test: "project-fail", value: name, spoken: `The next build of ${name} fails with these words` }, () => act("next", { plan: fails() }));
  const set = button("Set", { test: "project-pace", value: name, spoken: `From now on builds of ${name} take so many seconds` }, () => act("pace", { seconds: chosen(pace) }));
  let held = false;
  const hold = button("Hold", { test: "project-hold", value: name }, () => act("hold", { held: !held }));
  const item = h("li", { class: "res", data: { test: "project", value: name } }, h("details", {}, head, h("div", { class: "res-body" }, list, coming,
    h("div", { class: "steer", role: "group", "aria-label": `Steer ${name}` }, words, fail, h("span", { class: "steer-pair" }, pace, h("span", { class: "steer-word" }, "seconds"), set), hold))));
  let shown = "";
  item.draw = (project) => {
    const eyes = reader();
    const sign = JSON.stringify([project, eyes.tz, Math.floor(eyes.now() / 60_000)]);
    if (sign === shown) {
      return;
    }
    shown = sign;
    const [newest] = project.builds;
    fill(head, h("span", { class: "res-name" }, name), project.next.length > 0 && h("span", { class: "chip bad" }, "next fails"), buildChip(newest));
    fill(list, project.builds.slice(0, SHOWN_BUILDS).map((build) => buildLine(build, eyes)));
    coming.textContent = [`Builds take ${time.span(project.seconds * 1000)}`, project.next[0] && `the next: ${project.next[0].outcome.toLowerCase()}, “${project.next[0].lines[0] ?? project.next[0].message}”`].filter(Boolean).join(" · ");
    held = Boolean(newest?.held);
    hold.hidden = newest?.status !== "IN_PROGRESS";
    hold.firstChild.textContent = held ? "Let go" : "Hold";
    hold.setAttribute("aria-label", held ? `Let the build of ${name} go on` : `Hold the build of ${name}`);
  };
  return item;
}

function buildChip(build) {
  if (!build) {
    return h("span", { class: "chip" }, "no build yet");
  }
  const lamp = BUILD_LAMPS[build.status] ?? "idle";
  const text = build.status === "IN_PROGRESS" ? build.phase : build.status;
  return h("span", { class: `chip ${lamp}` }, `${build.held ? "held in " : ""}${text.toLowerCase().replaceAll("_", " ")}`);
}

function buildLine(build, { tz, now }) {
  return h(
    "li",
    { class: "build", title: build.id, data: { test: "build", value: build.status } },
    h("span", { class: `lamp ${BUILD_LAMPS[build.status] ?? "idle"}`, "aria-hidden": "true" }),
    h("span", { class: "build-what" }, build.status.toLowerCase().replaceAll("_", " "), h("span", { class: "quiet" }, ` by ${build.initiator}`)),
    h("time", { class: "execution-time", datetime: new Date(build.started_ms).toISOString(), title: time.full(build.started_ms, tz) }, time.brief(build.started_ms, tz, now())),
  );
}

/** A web server: what its pages answer, and pages that break. */
export function siteRow({ host }, deed) {
  const pages = h("ul", { class: "flags" });
  const item = h("li", { class: "res", data: { test: "site", value: host } }, h("span", { class: "res-name" }, host), pages);
  let shown = "";
  item.draw = (site) => {
    const sign = JSON.stringify(site);
    if (sign !== shown) {
      shown = sign;
      reconcile(pages, site.pages, { key: (page) => page.path, sign: JSON.stringify, build: (page) => pageRow(host, page, deed) });
    }
  };
  return item;
}

/** What a body says: of JSON its shortest values, among which a version is. */
function gist(body) {
  try {
    const short = Object.entries(JSON.parse(body)).filter(([, value]) => String(value).length <= 20);
    return short.map(([name, value]) => `${name} ${value}`).join(", ") || body;
  } catch {
    return body;
  }
}

function pageRow(host, page, deed) {
  const well = page.status < 400;
  const turn = button(well ? "Break" : "Mend", { test: "page-break", value: `${host}${page.path}`, spoken: `${well ? "Break" : "Mend"} ${host}${page.path}` },
    () => deed({ site: { status: { host, path: page.path, status: well ? 502 : 200 } } }));
  return h(
    "li",
    { class: "flag", data: { test: "site-page", value: `${host}${page.path}` } },
    h("span", { class: `lamp ${well ? "good" : "bad"}`, "aria-hidden": "true" }),
    h("span", { class: "site-page", title: page.body }, page.path, h("span", { class: "quiet" }, ` ${page.status} ${gist(page.body)}`)),
    turn,
  );
}
