// The store's protocol for this program: the Lua scripts of the bot, read from where the bot has them, and the lines they keep.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { chained, lengthen, rowLine, shorten } from "./chain.mjs";

const FIXED = ["r", "i", "o", "w", "e", "d", "x", "c", "s", "p", "l", "n", "f"];
const STORE_TIME = 2000;
const REMEMBER_DELIVERY = 86_400_000;
const REMEMBER_REPORT = 600_000;
const KEPT = 8192;

export class Store {
  #redis;
  #key;
  #folds = new Map();
  // The open runs of each service, as they were seen last.
  #open = new Map();

  constructor(redis, folder, key) {
    this.#redis = redis;
    this.#key = key;
    // `lua` sends the hash, and the text when the server does not know it.
    for (const name of ["load", "commit", "poll"]) {
      redis.defineCommand(`${name}Script`, { lua: readFileSync(join(folder, `${name}.lua`), "utf8") });
    }
  }

  // Loads records by id and, with `open`, all open runs. A fold is parsed once for each version of its record.
  async load(slot, ids, { open = false, delivery = "" }) {
    const named = open ? null : await this.#loadNamed(slot, ids, delivery);
    if (named) return named;
    const range = open ? ["1", "[run/", Buffer.from("28" + Buffer.from("run/").toString("hex") + "ff", "hex")] : ["0", "", ""];
    // Held on to until the answer comes: meanwhile the others may be forgotten.
    const others = open ? (this.#open.get(slot) ?? []) : [];
    const held = new Map([...ids, ...others].map((id) => [id, this.#folds.get(`${slot} ${id}`)]));
    const versions = (names) => names.flatMap((id) => [id, held.get(id)?.version ?? "0"]);
    const wanted = others.length > 0 ? [...versions(ids), "", "", ...versions(others)] : versions(ids);
    const [now, answered, claims, found] = await this.#redis.loadScript(FIXED.length, ...keys(slot), delivery, ...range, ...wanted);
    const records = new Map();
    for (let at = 0; at < found.length; at += 4) {
      const [id, known, line, fold] = found.slice(at, at + 4);
      records.set(id, this.#record(slot, id, known !== "0" && held.get(id), line, fold));
    }
    if (open) this.#open.set(slot, [...records.keys()].filter((id) => id.startsWith("run/")));
    const pairs = new Map();
    for (let at = 0; at < claims.length; at += 2) pairs.set(claims[at], claims[at + 1]);
    return { now, answered: remembered(answered, now), claims: pairs, records, asked: ids };
  }

  // Records by id alone come by plain commands in one transaction, as the bot loads them; nothing when a kept desk is old.
  async #loadNamed(slot, ids, delivery) {
    const [records, , , , , , , claimed, seen, , , , folds] = keys(slot);
    const kept = new Map(ids.map((id) => [id, this.#folds.get(`${slot} ${id}`)]));
    const unknown = ids.filter((id) => id !== "desk" || !kept.get(id));
    const commands = [["time"], ["hgetall", claimed], ["hget", seen, delivery], ["hmget", records, ...ids]];
    if (unknown.length > 0) commands.push(["hmget", folds, ...unknown]);
    const answers = await this.#redis.multi(commands).exec();
    const [time, claims, answered, places, found = []] = answers.map(([error, value]) => {
      if (error) throw error;
      return value;
    });
    const now = Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000);
    const loaded = new Map();
    for (const [at, id] of ids.entries()) {
      if (!places[at]) continue;
      const one = kept.get(id)?.version === words(places[at], 4)[0] && kept.get(id);
      const fold = found[unknown.indexOf(id)];
      if (!one && fold === undefined) return null;
      loaded.set(id, this.#record(slot, id, one, places[at], fold));
    }
    return { now, answered: remembered(answered ?? "", now), claims: new Map(Object.entries(claims)), records: loaded, asked: ids };
  }

  // `kept` is the fold that was kept for this version; the store did not send it again.
  #record(slot, id, kept, line, fold) {
    const [version, , rows, head] = words(line, 4);
    const one = kept || { version, fold: JSON.parse(fold) };
    if (!kept) {
      if (this.#folds.size >= KEPT) this.#folds.clear();
      this.#folds.set(`${slot} ${id}`, one);
    }
    return { version, rows: Number(rows), head: lengthen(head), fold: one.fold };
  }

  // Commits one written record with one event and one effect.
  async commit(slot, { id, loaded, write, draft, effect, reply }) {
    const row = chained(this.#key, slot, write.id, loaded.records.get(write.id), { ...draft, event: JSON.stringify(write.event) });
    const read = new Map([...loaded.asked.map((name) => [name, "0"]), ...[...loaded.records].map(([name, one]) => [name, one.version])]);
    const reads = [read.size, ...[...read].flat()];
    const writes = [1, write.id, write.wake, JSON.stringify(write.fold), 1, row.seq, shorten(row.prev), shorten(row.mac), rowLine(row)];
    const effects = [1, effect.key, effect.due, JSON.stringify(effect.body)];
    const claims = [0, 0];
    const head = [id, REMEMBER_DELIVERY, loaded.now + STORE_TIME, JSON.stringify(reply), "", "", "", ""];
    const journal = `sb2:{${slot}}:j:${write.id}`;
    const args = [...head, ...reads, ...writes, ...claims, ...effects, 0];
    const answer = await this.#redis.commitScript(FIXED.length + 1, ...keys(slot), journal, ...args);
    const done = answer[0] === "done" || answer[0] === "again";
    return { done, late: answer[0] === "late", reply: done ? JSON.parse(answer[2]) : null };
  }

  // Takes up to `limit` effects that are due, under a lease.
  async poll(slot, limit, lease) {
    const [now, next, claimed] = await this.#redis.pollScript(FIXED.length, ...keys(slot), Date.now(), limit, 0, lease);
    const effects = [];
    for (let at = 0; at < claimed.length; at += 2) {
      const [, attempt, fence, , , body] = words(claimed[at + 1], 6);
      effects.push({ key: claimed[at], attempt: Number(attempt), fence, body: JSON.parse(body) });
    }
    return { now, next: next === "" ? null : Number(next), effects };
  }

  // Reports that an effect was not done and is due again at an instant; `null`: that it was done.
  async finish(slot, { key, fence }, now, again) {
    const then = again === null ? ["done", 0] : ["again", again];
    const head = [`${key}@${fence}`, REMEMBER_REPORT, now + STORE_TIME, '"none"', key, fence, ...then];
    await this.#redis.commitScript(FIXED.length, ...keys(slot), ...head, 0, 0, 0, 0, 0, 0);
  }
}

function keys(slot) {
  return FIXED.map((name) => `sb2:{${slot}}:${name}`);
}

// Splits the first words off; the last keeps its spaces.
function words(line, count) {
  const found = [];
  let from = 0;
  while (found.length < count - 1) {
    const at = line.indexOf(" ", from);
    found.push(line.slice(from, at));
    from = at + 1;
  }
  return [...found, line.slice(from)];
}

function remembered(line, now) {
  if (line === "") return null;
  const [until, reply] = words(line, 2);
  return Number(until) > now ? reply : null;
}
