// What people read: the state of a service in brief, and the receipt for a vote.

import { bold, code, headed, joined, link, mention, permalink, plus, sign, text } from "./message.mjs";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const count = (number, one) => (number === 1 ? `1 ${one}` : `${number} ${one}s`);

function cut(words, most) {
  const first = words.split("\n").map((line) => line.trim()).find((line) => line !== "") ?? "";
  const letters = [...first];
  return letters.length <= most ? first : `${letters.slice(0, most - 1).join("").trimEnd()}…`;
}

const short = (revision) => (revision.commit ?? revision.id).slice(0, 7);
const shortRun = (id) => id.split("/").pop();

function title(revision) {
  const summary = cut(revision.summary, 60);
  return summary === "" ? short(revision) : `${short(revision)}, ${summary}`;
}

function named(revision) {
  const ref = revision.git_ref;
  if (!ref) return null;
  const name = cut(ref.replace(/^refs\/(tags|heads)\//, ""), 60);
  if (ref.startsWith("refs/tags/")) return `tag ${name}`;
  return ref.startsWith("refs/heads/") ? `branch ${name}` : `ref ${name}`;
}

function lasting(since, now) {
  const minutes = Math.floor(Math.max(now - since, 0) / MINUTE);
  if (minutes === 0) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  return minutes < 1440 ? `${Math.floor(minutes / 60)} h` : count(Math.floor(minutes / 1440), "day");
}

function inAbout(at, now) {
  const hours = Math.floor(Math.max(at - now, 0) / HOUR);
  if (hours === 0) return "within the hour";
  const days = Math.floor(hours / 24);
  const rest = hours % 24;
  return `in ${[days > 0 ? `${days} d` : null, rest > 0 ? `${rest} h` : null].filter(Boolean).join(" ")}`;
}

// The state of a service in a line or two for each environment.
export function status(facts) {
  const { service, settings, runs } = facts;
  const open = runs.filter((run) => run.status.status !== "ended");
  open.sort((a, b) => a.pinned.waiting_since - b.pinned.waiting_since || (a.id < b.id ? -1 : 1));
  const { environments } = settings;
  const first = [bold(`${service.id}: ${count(environments.length, "environment")}, ${count(open.length, "open run")}`)];
  let message = headed(first, []);
  for (const environment of environments) {
    const here = open.filter((run) => run.pinned.environments.some((target) => target.environment === environment));
    const lines = [joined([[bold(environment)], live(facts, environment)]), ...here.map((run) => runLine(facts, run))];
    message = plus(message, "section", lines);
  }
  return plus(message, "context", [[text("More: "), code(`/deploy status ${environments[0]}`)]]);
}

function live(facts, environment) {
  const live = facts.desk.live[environment];
  if (!live) return [text("live: not known yet")];
  const { revision } = live;
  const line = [text("live: "), revision.url ? link(revision.url, short(revision)) : code(short(revision))];
  for (const words of [named(revision), cut(revision.summary, 60) || null]) {
    if (words !== null) line.push(text(`, ${words}`));
  }
  return [...line, text(` (${lasting(live.since, facts.now)})`)];
}

function runLine(facts, run) {
  const card = run.card ? [permalink(run.card.channel, run.card.ts, "card")] : [];
  return joined([[sign("waiting"), text(" "), bold(title(run.pinned.revision))], [text(standing(facts, run))], card, [text(`run ${shortRun(run.id)}`)]]);
}

function standing(facts, run) {
  if (facts.now >= run.pinned.gives_up_at) return "nobody answered in time";
  const required = facts.settings.required;
  const missing = Math.max(required - run.votes.length, 0);
  const wanted = required > 1 ? `${missing} of ${required}` : count(missing, "approval");
  return `waits for ${wanted} · CodePipeline gives up ${inAbout(run.pinned.gives_up_at, facts.now)}`;
}

// The receipt for a vote that was not the last.
export function voted(facts, run) {
  const required = facts.settings.required;
  const authors = run.change.commits.map((commit) => commit.user);
  const may = facts.members.filter(
    (user) => !authors.includes(user) && run.pinned.starter.user !== user && !run.votes.some((vote) => vote.user === user),
  );
  const line = [sign("good"), text(" "), bold(`Your approval is recorded: ${run.votes.length} of ${required}.`), text(" ")];
  if (may.length === 0) {
    line.push(text("Nobody is left who may give another: everyone else has voted, wrote part of this, or started it."));
    return headed(line, []);
  }
  const others = [...may].sort().flatMap((user, at, all) => {
    const comma = all.length > 2 ? "," : "";
    const before = at === 0 ? [] : [text(at + 1 === all.length ? `${comma} or ` : ", ")];
    return [...before, mention(user)];
  });
  line.push(...others, text(required - run.votes.length === 1 ? " can give the other." : " can give the others."));
  return headed(line, []);
}
