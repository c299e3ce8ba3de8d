#!/usr/bin/env node
// Slack's own clients, unmodified, against the sandbox: @slack/web-api calls it, and an app on @slack/bolt, which checks signatures
// and parses payloads with Slack's code, is called by it.
//
//   sandbox/clients/slack.mjs --start target/debug/signalbox-sandbox
//
// scripts/sandbox-clients installs the packages into the user's cache. Only base URL, token and secret are set. Exits with 1 when a check fails.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "signalbox", "npm");
const require = createRequire(join(cache, "here.js"));
const { WebClient, LogLevel } = require("@slack/web-api");
const { App, HTTPReceiver } = require("@slack/bolt");

const SECRET = "a secret of this walk";
let checked = 0;
const failed = [];

function check(what, good, shown) {
  checked += 1;
  console.log(`${good ? "ok  " : "FAIL"} ${what}${good ? "" : `: ${JSON.stringify(shown)}`}`);
  if (!good) failed.push(what);
}

function equal(what, left, right) {
  check(what, JSON.stringify(left) === JSON.stringify(right), { got: left, wanted: right });
}

async function refused(what, code, call) {
  try {
    check(`${what} is refused with ${code}`, false, await call());
  } catch (error) {
    equal(`${what} is refused with ${code}`, error.data?.error ?? error.code, code);
    return error;
  }
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function startSandbox(binary, botPort) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ["--listen", `127.0.0.1:${port}`, "--bot-url", `http://127.0.0.1:${botPort}`, "--signing-secret", SECRET];
  const child = spawn(binary, args, { stdio: ["ignore", "ignore", "inherit"] });
  for (let left = 200; left > 0; left -= 1) {
    if (child.exitCode !== null) break;
    const up = await fetch(`${url}/control/state`).then((answer) => answer.ok, () => false);
    if (up) return { url, stop: () => child.kill() };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill();
  throw new Error("the sandbox did not start");
}

const text = (kind, words) => ({ type: kind, text: words });
const card = {
  text: "wallet → mainnet waits",
  blocks: [
    { type: "section", text: text("mrkdwn", "*wallet → mainnet*") },
    {
      type: "actions",
      block_id: "decide",
      elements: [
        { type: "button", action_id: "approve", value: "round-1", style: "primary", text: text("plain_text", "Approve") },
        { type: "button", action_id: "reject", value: "round-1", style: "danger", text: text("plain_text", "Reject") },
      ],
    },
  ],
  metadata: { event_type: "card", event_payload: { run: "r1" } },
};
const modal = {
  type: "modal",
  callback_id: "why",
  title: text("plain_text", "Reject"),
  submit: text("plain_text", "Reject"),
  blocks: [
    {
      type: "input",
      block_id: "reason",
      label: text("plain_text", "Reason"),
      element: { type: "plain_text_input", action_id: "words" },
    },
  ],
};

/** The Web API through Slack's client. */
async function walkWebApi(client, control) {
  const me = await client.auth.test();
  equal("auth.test says who we are", [me.team_id, me.user_id, me.bot_id], ["T0SIGNAL", "U0SIGNAL", "B0SIGNAL"]);
  check("the scopes come with every answer", me.response_metadata.scopes.includes("chat:write"), me.response_metadata);
  const posted = await client.chat.postMessage({ channel: "C0DEPLOYS", ...card });
  equal("chat.postMessage stores blocks", posted.message.blocks[1].block_id, "decide");
  const edited = await client.chat.update({ channel: "C0DEPLOYS", ts: posted.ts, text: "decided", blocks: [] });
  equal("chat.update edits", edited.message.text, "decided");
  const inThread = await client.chat.postMessage({ channel: "C0DEPLOYS", thread_ts: posted.ts, text: "detail" });
  const thread = await client.conversations.replies({ channel: "C0DEPLOYS", ts: posted.ts, include_all_metadata: true });
  equal("conversations.replies gives the thread", thread.messages.map((m) => m.ts), [posted.ts, inThread.ts]);
  equal("with its metadata", thread.messages[0].metadata.event_payload, { run: "r1" });
  const history = await client.conversations.history({ channel: "C0DEPLOYS", oldest: posted.ts, inclusive: true });
  equal("conversations.history leaves replies out", history.messages.length, 1);
  await client.chat.postEphemeral({ channel: "C0DEPLOYS", user: "U0ANN", text: "for you" });
  await client.reactions.add({ channel: "C0DEPLOYS", timestamp: posted.ts, name: "eyes" });
  const link = await client.chat.getPermalink({ channel: "C0DEPLOYS", message_ts: posted.ts });
  check("chat.getPermalink", link.permalink.startsWith("https://acme.slack.com/archives/C0DEPLOYS/p"), link);
  await client.chat.delete({ channel: "C0DEPLOYS", ts: inThread.ts });

  const names = [];
  for await (const page of client.paginate("conversations.list", { limit: 2, types: "public_channel" })) {
    names.push(...page.channels.map((channel) => channel.name));
  }
  equal("conversations.list page by page", names, ["deploys", "general", "random", "shared-partners"]);
  const members = await client.conversations.members({ channel: "C0DEPLOYS" });
  check("conversations.members", members.members.includes("U0ANN"), members);
  equal("conversations.info", (await client.conversations.info({ channel: "C0SHARED" })).channel.is_ext_shared, true);
  equal("conversations.open", (await client.conversations.open({ users: "U0ANN" })).channel.id, "D0ANN");
  equal("conversations.join", (await client.conversations.join({ channel: "C0RANDOM" })).channel.is_member, true);
  equal("users.info", (await client.users.info({ user: "U0GUS" })).user.is_restricted, true);
  equal("users.list", (await client.users.list({})).members.length, 9);
  equal("users.lookupByEmail", (await client.users.lookupByEmail({ email: "dana@example.org" })).user.id, "U0DANA");
  equal("usergroups.list", (await client.usergroups.list({ include_count: true })).usergroups[0].user_count, 3);
  equal("usergroups.users.list", (await client.usergroups.users.list({ usergroup: "S0OPS" })).users, ["U0BRUNO", "U0CARLA"]);
  equal("team.info", (await client.team.info()).team.domain, "acme");
  equal("bots.info", (await client.bots.info({ bot: "B0SIGNAL" })).bot.app_id, "A0SIGNAL");
  const home = { type: "home", blocks: [{ type: "divider" }] };
  equal("views.publish", (await client.views.publish({ user_id: "U0ANN", view: home })).view.type, "home");
  const upload = await client.filesUploadV2({ channel_id: "C0DEPLOYS", filename: "audit.csv", content: "a,b\n" });
  equal("filesUploadV2", upload.files[0].ok, true);

  await refused("a channel that is not there", "channel_not_found", () => client.chat.postMessage({ channel: "C0NONE", text: "x" }));
  await refused("an unknown method", "unknown_method", () => client.apiCall("apps.connections.open"));
  const long = [{ type: "section", text: text("mrkdwn", "x".repeat(3001)) }];
  const wrong = await refused("a text too long", "invalid_blocks", () =>
    client.chat.postMessage({ channel: "C0DEPLOYS", text: "x", blocks: long }));
  check("and says where", wrong?.data.response_metadata.messages[0].includes("/blocks/0/text/text"), wrong?.data);
  await control("faults", { target: "slack.chat.postMessage", kind: "throttle", retry_after: 4, times: 1 });
  const limited = await refused("a call too many", "slack_webapi_rate_limited_error", () =>
    client.chat.postMessage({ channel: "C0DEPLOYS", text: "x" }));
  equal("and says when to come back", limited?.retryAfter, 4);
  for (const [kind, wanted] of [["lose_answer", "slack_webapi_request_error"], ["drop", "slack_webapi_request_error"],
    ["fail", "slack_webapi_http_error"]]) {
    await control("faults", { target: "slack.chat.postMessage", kind, times: 1 });
    await refused(`a call under ${kind}`, wanted, () => client.chat.postMessage({ channel: "C0DEPLOYS", text: kind }));
  }
  const after = await client.conversations.history({ channel: "C0DEPLOYS", limit: 5 });
  const texts = after.messages.map((message) => message.text);
  equal("only the lost answer's work was done", [texts.includes("lose_answer"), texts.includes("drop"), texts.includes("fail")],
    [true, false, false]);
}

/** An app on Bolt, which answers each kind of delivery. */
async function startApp(port, client, seen) {
  const endpoints = ["/slack/commands", "/slack/interactions", "/slack/events"];
  const receiver = new HTTPReceiver({ signingSecret: SECRET, endpoints, logLevel: LogLevel.ERROR });
  const app = new App({
    token: "xoxb-sandbox",
    receiver,
    logLevel: LogLevel.ERROR,
    clientOptions: { slackApiUrl: client.slackApiUrl },
  });
  app.command("/deploy", async ({ command, ack }) => {
    seen.push(["command", command.text]);
    await ack({ text: `you said ${command.text}`, response_type: "ephemeral" });
  });
  app.action("approve", async ({ ack, body, respond }) => {
    seen.push(["approve", body.user.id, body.message.metadata.event_payload.run]);
    await ack();
    await respond({ text: "approved", replace_original: true });
    seen.push(["responded"]);
  });
  app.action("reject", async ({ ack, body, client }) => {
    await ack();
    const opened = await client.views.open({ trigger_id: body.trigger_id, view: modal });
    seen.push(["opened", opened.view.id]);
  });
  app.view("why", async ({ ack, view }) => {
    const words = view.state.values.reason.words.value;
    seen.push(["submitted", words]);
    await ack(words === "no" ? { response_action: "errors", errors: { reason: "say more" } } : undefined);
  });
  app.event("app_mention", async ({ event, say }) => {
    seen.push(["mention", event.user]);
    await say({ text: "yes?", thread_ts: event.ts });
    seen.push(["said"]);
  });
  await app.start({ port, host: "127.0.0.1" });
  return app;
}

/** What people do, and what the app makes of it. */
async function walkDeliveries(client, control, seen) {
  const until = async (word) => {
    for (let left = 200; left > 0; left -= 1) {
      const found = seen.find((entry) => entry[0] === word);
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return [];
  };
  const command = await control("slack/command", { user: "U0ANN", channel: "C0DEPLOYS", text: "/deploy approve @bruno" });
  equal("Bolt takes a command", [command.status, command.body.text], [200, "you said approve <@U0BRUNO|bruno>"]);
  const posted = await client.chat.postMessage({ channel: "C0DEPLOYS", ...card });
  const place = { channel: "C0DEPLOYS", ts: posted.ts };
  const click = await control("slack/click", { user: "U0ANN", ...place, action_id: "approve" });
  equal("Bolt takes a click", click.status, 200);
  equal("with the message's metadata", await until("approve"), ["approve", "U0ANN", "r1"]);
  await until("responded");
  const changed = await client.conversations.history({ channel: "C0DEPLOYS", latest: posted.ts, inclusive: true, limit: 1 });
  equal("and answers through the response_url", changed.messages[0].text, "approved");
  const second = await client.chat.postMessage({ channel: "C0DEPLOYS", ...card });
  await control("slack/click", { user: "U0BRUNO", channel: "C0DEPLOYS", ts: second.ts, action_id: "reject" });
  const [, viewId] = await until("opened");
  const submit = (words) =>
    control("slack/submit", { user: "U0BRUNO", view_id: viewId, values: { reason: { words } } });
  equal("Bolt shows an error in a modal", (await submit("no")).errors, { reason: "say more" });
  equal("and takes the submission", [(await submit("too risky")).error, seen.at(-1)], [null, ["submitted", "too risky"]]);
  const mention = await control("slack/message", { user: "U0ANN", channel: "C0DEPLOYS", text: "@signalbox hello", wait: true });
  equal("Bolt takes a mention", mention.deliveries.map((one) => one.status), [200, 200]);
  equal("from the right person", await until("mention"), ["mention", "U0ANN"]);
  await until("said");
  const replies = await client.conversations.replies({ channel: "C0DEPLOYS", ts: mention.ts });
  equal("and answers in its thread", replies.messages.at(-1).text, "yes?");
}

async function main() {
  const at = process.argv.indexOf("--start");
  if (at < 0) throw new Error("say --start and where signalbox-sandbox is");
  const port = await freePort();
  const sandbox = await startSandbox(process.argv[at + 1], port);
  const client = new WebClient("xoxb-sandbox", {
    slackApiUrl: `${sandbox.url}/slack/api/`,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logLevel: LogLevel.ERROR,
  });
  const control = async (path, body) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${sandbox.url}/control/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  };
  let app;
  try {
    const seen = [];
    app = await startApp(port, client, seen);
    await walkWebApi(client, control);
    await control("clock/jump", { seconds: 60 });
    await walkDeliveries(client, control, seen);
  } finally {
    await app?.stop();
    sandbox.stop();
  }
  console.log(`${checked} checks, ${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

await main();
