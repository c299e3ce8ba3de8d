// What the account has beside pipelines, place by place, and what can be done to it without its API: messages that fail, builds that do not succeed,
// functions that err. Only what is there is shown.
//
// A list is made when it is first opened, and its rows stay while they are told what is new: somebody may be typing a number into one.

import { h, keep } from "./dom.js";
import { buildRow, functionRow, queueRow, siteRow } from "./steer.js";
import { plainRow } from "./plain-rows.js";
import { refresh } from "./sync.js";

/** The queue by which the sandbox tells of pipelines; it stands with them. */
export const EVENTS = "signalbox-events";
/** Longer lists are closed until somebody opens them. */
const FOLDED_FROM = 9;
/** How soon what grows with time alone is looked at again, milliseconds. */
const AGAIN = 1000;

const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
const bad = (text) => ({ text, kind: "bad" });

/** What a place can have: where its list is found, what is wrong in it at a glance, and how a row of it is made. */
const PARTS = [
  { name: "queues", title: "Queues", of: queues, note: deadLetters, make: queueRow },
  { name: "builds", title: "Builds", of: (place) => place.projects, note: building, make: buildRow },
  { name: "functions", title: "Functions", of: functions, note: erring, make: functionRow },
  { name: "tables", title: "Tables", of: (place) => place.tables },
  { name: "search", title: "Search domains", of: (place) => place.search, note: indexing },
  { name: "parameters", title: "Parameters", of: (place) => place.parameters },
  { name: "rules", title: "Rules", of: (place) => place.rules },
  { name: "paths", title: "Base paths", of: (place) => place.base_paths },
  { name: "records", title: "Record sets", of: records },
  { name: "databases", title: "Databases", of: (place) => place.rds.databases },
  { name: "snapshots", title: "Snapshots", of: (place) => place.rds.snapshots },
  { name: "sites", title: "Web servers", of: (place) => place.sites ?? [], make: siteRow },
];

function queues(place) {
  const dead = new Set(place.queues.map((queue) => queue.dead_letters));
  return place.queues.filter((queue) => queue.name !== EVENTS).map((queue) => ({ ...queue, holdsDead: dead.has(queue.name) }));
}

function deadLetters(list) {
  const dead = list.filter((queue) => queue.holdsDead).reduce((sum, queue) => sum + queue.visible + queue.in_flight, 0);
  return dead > 0 && bad(count(dead, "dead letter"));
}

function building(list) {
  const busy = list.filter((project) => project.builds[0]?.status === "IN_PROGRESS").length;
  return busy > 0 && { text: `${busy} under way`, kind: "busy" };
}

function functions(place) {
  return place.functions.map((each) => ({ ...each, mappings: place.event_sources.filter((mapping) => mapping.function === each.name) }));
}

function erring(list) {
  const broken = list.filter((each) => each.counted.errors > 0).length;
  return broken > 0 && bad(`${broken} err${broken === 1 ? "s" : ""}`);
}

function indexing(list) {
  const tasks = list.reduce((sum, domain) => sum + domain.tasks, 0);
  return tasks > 0 && { text: count(tasks, "task"), kind: "busy" };
}

function records(place) {
  return place.zones.flatMap((zone) => zone.records.map((record) => ({ ...record, name: `${record.Name} ${record.Type} ${record.SetIdentifier ?? ""}`.trim() })));
}

/** The places that have anything, with the web servers of the account as one of their own. */
function placesOf(aws) {
  const bare = { queues: [], projects: [], functions: [], event_sources: [], tables: [], search: [], parameters: [], rules: [], base_paths: [], zones: [], rds: { databases: [], snapshots: [] } };
  const web = aws.sites?.length > 0 ? [{ ...bare, account: aws.account, region: "", name: "The web", sites: aws.sites.map((site) => ({ ...site, name: site.host })) }] : [];
  const places = [...aws.places, ...web].map((place) => ({
    ...place,
    name: place.name ?? [place.region || "All regions", place.account === aws.account ? "" : place.account].filter(Boolean).join(" · "),
    parts: PARTS.map((part) => ({ ...part, list: part.of(place) })).filter((part) => part.list.length > 0),
  }));
  // What is of no region comes behind what is.
  return places.filter((place) => place.parts.length > 0).sort((a, b) => Number(a.region === "") - Number(b.region === ""));
}

/** How many things the account has beside pipelines. */
export function resourceCount(aws) {
  return placesOf(aws).flatMap((place) => place.parts).reduce((sum, part) => sum + part.list.length, 0);
}

const placesHost = h("div", { class: "places", data: { test: "account" } });
let again = 0;

/** The list of places. */
export function accountView() {
  return placesHost;
}

/** Draws the places. `attempt(path, body)` does something to the account. */
export function drawAccount(aws, attempt) {
  const places = placesOf(aws);
  keep(placesHost, places, { key: (place) => `${place.account} ${place.region} ${place.name}`, make: (place) => placeSection(place, attempt) });
  const grows = places.some((place) => place.search.some((domain) => domain.tasks > 0) || place.rds.snapshots.some((each) => each.percent < 100));
  if (grows && again === 0) {
    again = setTimeout(() => {
      again = 0;
      refresh("state");
    }, AGAIN);
  }
}

function placeSection(first, attempt) {
  const parts = h("div", { class: "parts" });
  const here = first.region ? { account: first.account, region: first.region } : { account: first.account };
  /** Does one deed or several in this place. */
  const deed = (...deeds) => attempt("/aws/deed", deeds.map((each) => ({ ...here, ...each })));
  const section = h("section", { class: "place", "aria-label": first.name, data: { test: "place", value: first.name } }, h("h3", { class: "group-title" }, first.name), parts);
  section.draw = (place) => keep(parts, place.parts, { key: (part) => part.name, make: (part) => partList(part, deed) });
  return section;
}

function partList(first, deed) {
  const rows = h("ul", { class: "rows" });
  const number = h("span", { class: "part-count" });
  const note = h("span", { class: "chip" });
  const summary = h("summary", { class: "part-head", data: { test: "part-toggle", value: first.name } }, h("span", { class: "part-title" }, first.title), number, note);
  const part = h("details", { class: "part", data: { test: "part", value: first.name } }, summary, rows);
  part.open = first.list.length < FOLDED_FROM;
  let list = [];
  const drawRows = () => {
    if (part.open) {
      const make = first.make ?? plainRow[first.name];
      keep(rows, list, { key: (item) => item.id ?? item.name ?? `${item.domain} ${item.path}`, make: (item) => make(item, deed) });
    }
  };
  part.addEventListener("toggle", drawRows);
  part.draw = (next) => {
    list = next.list;
    number.textContent = list.length;
    const said = first.note?.(list);
    note.hidden = !said;
    note.className = `chip ${said ? said.kind : ""}`;
    note.textContent = said ? said.text : "";
    drawRows();
  };
  return part;
}
