// What of the account is only looked at: tables with their flags, search domains, rules, record sets, databases and snapshots. Rows by the name of
// their list; each has a `draw` that tells it what is new.

import { fill, h, reconcile } from "./dom.js";
import { reader } from "./state.js";
import * as time from "./time.js";

/** What DynamoDB's letters mean, for people. */
const TYPES = { S: "string", N: "number", BOOL: "boolean", NULL: "null", M: "map", L: "list", SS: "strings", NS: "numbers", B: "bytes" };

/** A row: its name, and below it what `tell(item)` says of it. */
function row(test, tell) {
  return (first) => {
    const name = first.name ?? first.id;
    const facts = h("div", { class: "res-facts" });
    const item = h("li", { class: "res", data: { test, value: name } }, h("span", { class: "res-name" }, name), facts);
    let shown = "";
    item.draw = (next) => {
      const sign = JSON.stringify(next) + reader().tz;
      if (sign !== shown) {
        shown = sign;
        fill(facts, tell(next));
      }
    };
    return item;
  };
}

const fact = (text) => h("span", { class: "fact" }, text);
const lamp = (kind, text) => h("span", { class: "fact" }, h("span", { class: `lamp ${kind}`, "aria-hidden": "true" }), text);
const grouped = (number) => number.toLocaleString("en-US");

/** The items that have one attribute beside their key: switches, with the type that their readers look at. */
function flags(table) {
  return table.first.flatMap((item) => {
    const others = Object.keys(item).filter((name) => !table.key.includes(name));
    if (others.length !== 1) {
      return [];
    }
    const values = table.key.map((name) => Object.values(item[name] ?? {})[0]);
    const [[type, value]] = Object.entries(item[others[0]]);
    return [{ key: [...new Set(values)].join(" / "), type, value: typeof value === "object" ? JSON.stringify(value) : String(value) }];
  });
}

function tellTable(table) {
  const stale = table.item_count !== table.items && `DescribeTable still says ${grouped(table.item_count)}`;
  const all = flags(table);
  const list = h("ul", { class: "flags" });
  reconcile(list, all, { key: (flag) => flag.key, sign: JSON.stringify, build: flagRow });
  return [
    fact(`${grouped(table.items)} ${table.items === 1 ? "item" : "items"}`),
    stale && h("span", { class: "fact quiet" }, stale),
    table.status !== "ACTIVE" && fact(table.status.toLowerCase()),
    all.length > 0 && list,
  ];
}

function flagRow({ key, type, value }) {
  return h(
    "li",
    { class: "flag", data: { test: "flag", value: key } },
    h("span", { class: "flag-key" }, key),
    h("code", { class: "flag-value" }, value),
    h("span", { class: "flag-type", title: `DynamoDB type ${type}` }, TYPES[type] ?? type),
  );
}

function tellSearch(domain) {
  const indices = Object.entries(domain.indices);
  const total = indices.reduce((sum, [, docs]) => sum + docs, 0);
  const list = h("ul", { class: "flags" });
  reconcile(list, indices, {
    key: ([name]) => name,
    sign: JSON.stringify,
    build: ([name, docs]) => h("li", { class: "flag", data: { test: "index", value: name } }, h("span", { class: "flag-key" }, name), h("code", { class: "flag-value" }, grouped(docs))),
  });
  return [
    lamp({ green: "good", red: "bad" }[domain.status] ?? "idle", domain.status),
    fact(`${grouped(total)} documents`),
    domain.tasks > 0 && lamp("busy", `${domain.tasks} ${domain.tasks === 1 ? "task" : "tasks"}`),
    indices.length > 0 && list,
  ];
}

function tellRule(rule) {
  return [lamp(rule.state === "ENABLED" ? "good" : "idle", rule.state === "ENABLED" ? "on" : "off"), rule.schedule && h("code", { class: "fact" }, rule.schedule)];
}

function tellRecord(record) {
  const values = record.ResourceRecords?.$ResourceRecord?.map((each) => each.Value) ?? [];
  const alias = record.AliasTarget && `→ ${record.AliasTarget.DNSName}`;
  return [h("code", { class: "fact" }, alias || values.join(", ")), record.TTL !== undefined && h("span", { class: "fact quiet" }, `TTL ${record.TTL} s`)];
}

function tellSnapshot(snapshot) {
  const done = snapshot.status === "available";
  const kind = done ? "good" : snapshot.status === "failed" ? "bad" : "busy";
  return [
    lamp(kind, done || kind === "bad" ? snapshot.status : `${snapshot.status}, ${snapshot.percent} %`),
    fact(`of ${snapshot.database}`),
    h("span", { class: "fact quiet" }, time.brief(snapshot.started_ms, reader().tz, reader().now())),
  ];
}

const tellPath = (path) => [h("code", { class: "fact" }, `→ ${path.api} / ${path.stage}`)];
const tellDatabase = (database) => [lamp(database.status === "available" ? "good" : "busy", database.status), fact(database.cluster ? "cluster" : "instance")];
const tellParameter = (parameter) => [h("code", { class: "fact" }, parameter.value ?? "hidden"), h("span", { class: "fact quiet" }, parameter.type)];

/** How a row of each list is made. */
export const plainRow = {
  tables: row("table", tellTable),
  search: row("search-domain", tellSearch),
  parameters: row("parameter", tellParameter),
  rules: row("rule", tellRule),
  paths: (first) => row("base-path", tellPath)({ name: [first.domain, first.path].filter((part) => part && part !== "(none)").join("/") }),
  records: row("record-set", tellRecord),
  databases: row("database", tellDatabase),
  snapshots: row("snapshot", tellSnapshot),
};
