// The same job in Bolt for JavaScript with ioredis: `/deploy status` and the first of two approvals, on the same keys, by the same Lua scripts, with
// the same answers. `bench --same` holds both against each other.
//
//   NODE_MODULES=… SLACK_… node bench/bolt/app.mjs settings.json
//
// It is written as a careful user of Bolt would: people and groups cached for a minute, folds kept while their version stands, one trip to load, one
// to commit, replies by response_url not waited for, what a click owes taken up by a worker.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { People } from "./people.mjs";
import { reply as drawn } from "./render.mjs";
import { refusals, refusalMessage } from "./gates.mjs";
import { Store } from "./store.mjs";
import { status, voted } from "./view.mjs";
import { digest } from "./chain.mjs";
import { Worker } from "./worker.mjs";

const require = createRequire(join(process.env.NODE_MODULES, "noop.js"));
const { App, HTTPReceiver, LogLevel } = require("@slack/bolt");
const { Redis } = require("ioredis");

const TRIES = 8;
const HOUR = 3_600_000;

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const services = new Map(settings.services.map((service) => [service.id, service]));
const redis = new Redis(settings.redis, { enableAutoPipelining: true });
const store = new Store(redis, settings.scripts, process.env.SIGNALBOX_AUDIT_KEY);

const receiver = new HTTPReceiver({
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  endpoints: ["/slack/commands", "/slack/interactions"],
  processBeforeResponse: true,
  logLevel: LogLevel.ERROR,
  customRoutes: [{ path: "/readyz", method: ["GET"], handler: ready }],
});
const home = { teamId: "T0SIGNAL", botId: "B0SIGNAL", botUserId: "U0SIGNAL", botToken: process.env.SLACK_BOT_TOKEN };
const app = new App({
  receiver,
  authorize: async () => home,
  clientOptions: { slackApiUrl: `${process.env.SLACK_API_URL}/`, rejectRateLimitedCalls: true, retryConfig: { retries: 0 } },
  logLevel: LogLevel.ERROR,
});
const people = new People(app.client, home);
const worker = new Worker(store, app.client, home);

async function ready(_, response) {
  const answered = await redis.ping().catch(() => null);
  response.writeHead(answered === "PONG" ? 200 : 503);
  response.end();
}

app.command("/deploy", async ({ command, ack }) => {
  const words = command.text.trim().split(/\s+/);
  if (words[0] !== "status" || words.length > 1) {
    await ack("This program answers `/deploy status` only.");
    return;
  }
  const speaker = await people.person(command.user_id, command.team_id);
  const here = settings.services.filter((service) => service.channel === command.channel_id);
  const messages = [];
  for (const service of here) {
    messages.push(await statusOf(service, speaker, `command/${command.trigger_id}`));
  }
  await ack(drawn(messages[0], false));
});

async function statusOf(service, speaker, delivery) {
  const loaded = await store.load(service.id, ["desk"], { open: true, delivery });
  if (loaded.answered) return JSON.parse(loaded.answered).private;
  if (speaker.standing !== "member") return refusalMessage([speaker.why]);
  return status(await facts(service, loaded, speaker));
}

app.action("approve", async ({ ack, action, body, respond }) => {
  await ack();
  const [service, run] = action.value.split(" ");
  if (!services.has(service)) return;
  const seed = `${action.action_ts} ${body.user.id} approve ${action.value}`;
  const speaker = await people.person(body.user.id, body.user.team_id);
  const channel = body.channel.id;
  const answer = await approve(services.get(service), run, speaker, channel, `block_actions/${digest(seed)}`);
  // The click is durable; Slack must not wait for the words about it.
  respond(drawn(answer, false)).catch((error) => console.error("a reply did not arrive", error.message));
});

async function approve(service, id, speaker, channel, delivery) {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const loaded = await store.load(service.id, ["desk", id], { delivery });
    if (loaded.answered) return JSON.parse(loaded.answered).private;
    const known = await facts(service, loaded, speaker);
    const record = loaded.records.get(id);
    if (!record) return refusalMessage([`Nothing was done: run ${id.split("/").pop()} is not known any more.`]);
    const found = refusals(known, record.fold, channel);
    if (found.length > 0) return refusalMessage(found);
    const vote = { user: speaker.id, ballot: "approve", at: known.now, reason: "" };
    const votes = [...record.fold.votes.filter((earlier) => earlier.user !== vote.user), vote];
    if (votes.length >= settings.required) return refusalMessage(["This program takes the first of several votes only."]);
    const run = { ...record.fold, votes, changed_at: known.now };
    const reply = voted(known, run);
    const due = Math.max(known.now, worker.quietUntil);
    const answer = await store.commit(service.id, {
      id: delivery,
      loaded,
      write: { id, fold: run, wake: known.now + HOUR, event: { event: "voted", vote } },
      draft: { at: known.now, actor: speaker.id, channel, cause: delivery, reason: "voted", config: "bench" },
      effect: { key: `draw:${id}`, due, body: { effect: "draw_card", run: id } },
      reply: { private: reply },
    });
    if (answer.done) {
      if (due <= Date.now()) worker.poke(service.id);
      return answer.reply.private;
    }
    if (answer.late) return refusalMessage(["Not recorded, nothing was done: it took too long."]);
  }
  return refusalMessage(["Not recorded, nothing was done: too many people were at it at once."]);
}

async function facts(service, loaded, speaker) {
  const members = await people.members(settings.group);
  const runs = [...loaded.records].filter(([id]) => id.startsWith("run/")).map(([, record]) => record.fold);
  const desk = loaded.records.get("desk")?.fold ?? { locks: {}, freezes: [], live: {}, recent: {} };
  return { now: Date.now(), service, settings, desk, runs, claims: loaded.claims, members, speaker };
}

await people.start();
await app.start(settings.port);
