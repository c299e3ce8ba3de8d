// The parts of the page that need no browser: what a text means, what time it is somewhere, what a composer offers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { complete, expand } from "../../sandbox/page/js/completion.js";
import { inline, messagePlace, parse, plain, safeLink } from "../../sandbox/page/js/mrkdwn.js";
import { dayName, slackDate, span } from "../../sandbox/page/js/time.js";
import { fromZone, toZone } from "../../sandbox/page/js/zone.js";

/** A tree in short: `bold(text)`. */
function brief(nodes) {
  return nodes.map((node) => (node.kind === "text" ? node.text : `${node.kind}(${node.children ? brief(node.children) : (node.text ?? node.id ?? node.url ?? node.code ?? "")})`)).join("");
}

test("mrkdwn marks words, not identifiers", () => {
  const cases = [
    ["*wallet* and _it_ and ~no~", "bold(wallet) and italic(it) and strike(no)"],
    ["snake_case_name and 2*3*4", "snake_case_name and 2*3*4"],
    ["* not bold * and **", "* not bold * and **"],
    ["*a _b_ `c*`*", "bold(a italic(b) code(c*))"],
    ["_`4f2c1d9`_", "italic(code(4f2c1d9))"],
    ["`a < b`", "code(a < b)"],
    ["(*x*), *y*.", "(bold(x)), bold(y)."],
    ["10:30:45", "10emoji(30)45"],
    [":white_check_mark: ok", "emoji(white_check_mark) ok"],
    ["a &lt;b&gt; &amp;amp;", "a <b> &amp;"],
  ];
  for (const [text, wanted] of cases) {
    assert.equal(brief(inline(text)), wanted, text);
  }
});

test("tokens become people, channels, groups, dates and links", () => {
  assert.equal(brief(inline("<@U0ANN> in <#C0DEPLOYS|deploys>, <!subteam^S0OPS|@ops>")), "user(U0ANN) in channel(C0DEPLOYS), group(S0OPS)");
  assert.deepEqual(inline("<https://x.example/?a=1&amp;b=2|see *it*>"), [{ kind: "link", url: "https://x.example/?a=1&b=2", label: "see *it*" }]);
  const [date] = inline("<!date^1795226400^{date_short} {time}^https://x.example|then>");
  assert.deepEqual(date, { kind: "date", seconds: 1795226400, template: "{date_short} {time}", link: "https://x.example", fallback: "then" });
});

test("a link that a page must not follow stays text", () => {
  for (const url of ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//x.example", " https://x.example"]) {
    assert.equal(safeLink(url), undefined, url);
    assert.equal(brief(inline(`<${url}|press>`)).includes("link("), false, url);
  }
});

test("links to messages of the workspace are places in the page", () => {
  const place = { channel: "C0DEPLOYS", thread: "1795226400.000100" };
  assert.deepEqual(messagePlace("https://acme.slack.com/archives/C0DEPLOYS/p1795226400000100"), place);
  assert.deepEqual(messagePlace("https://acme.slack.com/archives/C0DEPLOYS/p1795226499000200?thread_ts=1795226400.000100&cid=C0DEPLOYS"), place);
  assert.deepEqual(messagePlace("https://slack.com/app_redirect?channel=C0DEPLOYS&message_ts=1795226400.000100"), place);
  for (const url of ["https://notslack.com/archives/C0DEPLOYS/p1795226400000100", "https://acme.slack.com/team/U0ANN", "nonsense", "https://slack.com/app_redirect?channel=x\"y&message_ts=1.2"]) {
    assert.equal(messagePlace(url), undefined, url);
  }
});

test("fences and quotes are blocks", () => {
  const blocks = parse("before\n```\n*raw* <https://x.example|label>\n```\n> one\n&gt; two\nafter");
  assert.deepEqual(blocks.map((block) => block.kind), ["lines", "pre", "quote", "lines"]);
  assert.equal(blocks[1].text, "*raw* label");
  assert.equal(brief(blocks[2].children), "onebreak()two");
  assert.equal(parse("``` ```")[0].kind, "lines");
  assert.equal(plain("<@U1|ann> &amp; <https://x.example>"), "ann & https://x.example");
});

test("dates are told in the reader's zone and by the reader's day", () => {
  const at = Date.UTC(2026, 10, 21, 2, 5, 9);
  const now = Date.UTC(2026, 10, 21, 12);
  assert.equal(slackDate(at, "{date_num} {time_secs}", "America/Sao_Paulo", now), "2026-11-20 11:05:09 PM");
  assert.equal(slackDate(at, "{date_short_pretty} at {time}", "America/Sao_Paulo", now), "yesterday at 11:05 PM");
  assert.equal(slackDate(at, "{date_short_pretty} at {time}", "Europe/Berlin", now), "today at 3:05 AM");
  assert.equal(slackDate(at, "{date} / {date_long} / {unknown}", "UTC", 0), "November 21st, 2026 / Saturday, November 21st, 2026 / {unknown}");
  assert.equal(slackDate(Date.UTC(2026, 10, 12), "{date}", "UTC", 0), "November 12th, 2026");
  assert.equal(slackDate(now - 3 * 3600e3, "{ago}", "UTC", now), "3 hours ago");
  assert.equal(dayName(at, "Not/AZone", at), "Today");
  assert.equal(span(6.125 * 86400e3), "6 d 3 h");
  assert.equal(span(59_400), "59 s");
});

test("a wall clock and an instant agree, also where clocks change", () => {
  for (const tz of ["America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"]) {
    for (const text of ["2026-11-21T17:56", "2026-07-01T00:00", "2026-03-28T23:59"]) {
      assert.equal(toZone(fromZone(text, tz), tz), text, `${tz} ${text}`);
    }
  }
  assert.equal(fromZone("2026-11-21T17:56", "America/Sao_Paulo"), Date.UTC(2026, 10, 21, 20, 56) / 1000);
});

const SOURCE = {
  commands: [
    { command: "/deploy", usage: "approve <env> [revision]", summary: "Approve" },
    { command: "/deploy", usage: "lock|unlock <env>", summary: "Lock" },
    { command: "/migrate", usage: "start <env>", summary: "Start" },
    { command: "/loglevel", usage: "", summary: "" },
  ],
  people: [{ id: "U0ANN", name: "ann", real_name: "Ann Ferreira" }, { id: "U0DANA", name: "dana", real_name: "Dana Okafor" }],
  channels: [{ id: "C0DEPLOYS", name: "deploys" }],
  groups: [{ id: "S0OPS", handle: "ops", name: "Operations", users: ["U0ANN"] }],
};

test("commands are completed from the registry, verb by verb", () => {
  const labels = (text) => complete(text, text.length, SOURCE).map((offer) => offer.label);
  assert.deepEqual(labels("/"), ["/deploy approve", "/deploy lock", "/deploy unlock", "/migrate start", "/loglevel"]);
  assert.deepEqual(labels("/deploy un"), ["/deploy unlock"]);
  assert.deepEqual(labels("/nope"), []);
  assert.deepEqual(labels("say /deploy"), []);
  const [hint] = complete("/deploy approve main", 20, SOURCE);
  assert.deepEqual([hint.detail, hint.insert], ["<env> [revision]", "/deploy approve main"]);
  assert.equal(expand([{ command: "/x", usage: "a b <c>" }])[0].literal, "a b");
});

test("people, channels, groups and emoji are completed where a word begins", () => {
  const first = (text) => complete(text, text.length, SOURCE)[0]?.insert;
  assert.equal(first("hi @fer"), "@ann ");
  assert.equal(first("@op"), "@ops ");
  assert.equal(first("see #dep"), "#deploys ");
  assert.equal(first(":rock"), ":rocket: ");
  assert.equal(first("mail@ann"), undefined);
  assert.equal(first("at 10:30"), undefined);
  assert.equal(complete("a @da b", 5, SOURCE)[0].from, 2);
});
