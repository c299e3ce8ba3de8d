// From a waiting run to a finished card, by text and by button.

import assert from "node:assert/strict";

import { SETTLED, story } from "./town.mjs";

export function deciding(stage) {
  story(stage, "a card comes by itself, two people approve, and the run is followed to its end in place", {}, async (town) => {
    const { tab, page } = town;
    const card = await town.card("alarms quiet");
    const ts = await card.getAttribute("data-ts");
    const first = await card.innerText();
    for (const words of ["wallet → mainnet: 5a625cb", "waits for 2 of 2", "CodePipeline gives up in", "this adds 4 commits, 1 migration", "Approved 0 of 2", "succeeded on testnet"]) {
      assert.ok(first.includes(words), `${words}: ${first}`);
    }
    await town.annApproves();
    assert.match(await (await town.whisper("Your approval is recorded")).innerText(), /1 of 2.*Bruno Lima can give the other/s);
    await tab.becomes("U0BRUNO");
    // A stage that does not end lets one look at what stands between.
    await town.control("/aws/hold", { pipeline: "wallet-service", stage: "Deploy", held: true });
    await town.presses("approve");
    const question = await tab.test("confirm").innerText();
    assert.match(question, /Approve for mainnet\?/);
    assert.match(question, /mainnet, which is production: wallet 5a625cb/);
    await tab.test("confirm-deny").click();
    assert.equal((await town.answers()).length, 0, "\"Not now\" sends nothing");
    await town.presses("approve", { asks: true });
    await town.card("CodePipeline confirmed");
    const following = await (await town.card("Deploy running")).innerText();
    assert.ok(following.includes("approved by Ann Ferreira and Bruno Lima · releasing"), following);
    assert.deepEqual(await card.locator("[data-action]").evaluateAll((found) => found.map((each) => each.dataset.action)), ["stop"]);
    await town.control("/aws/hold", { pipeline: "wallet-service", stage: "Deploy", held: false });
    await town.passes(60);
    const ended = await (await town.card("released")).innerText();
    assert.ok(ended.includes("approved by Ann Ferreira and Bruno Lima"), ended);
    assert.match(ended, /Ended today at .* · took /);
    assert.doesNotMatch(ended, /U0[A-Z]+/, "people have names, not ids");
    assert.equal(await card.locator("[data-action]").count(), 0, "what is over has no buttons");
    assert.equal(await card.getAttribute("data-ts"), ts, "the card was edited, not written anew");
    await town.oneCard();
    assert.equal((await town.answers()).length, 1);
    await tab.says("/deploy status mainnet");
    assert.match(await (await town.whisper("mainnet")).innerText(), /v1\.4\.2|5a625cb/);
    assert.equal(await page.locator(".message-error").count(), 0);
  });

  story(stage, "the answer stands on the card only once CodePipeline has it", {}, async (town) => {
    await town.waits();
    await town.control("/faults", { target: "aws.PutApprovalResult", kind: "hold_before", times: 1 });
    await town.bothApprove();
    const answering = await (await town.card("telling CodePipeline…")).innerText();
    assert.match(answering, /Recorded \d/);
    assert.doesNotMatch(answering, /confirmed/);
    await town.opensDrawer();
    await town.tab.test("release").click();
    await town.card("CodePipeline confirmed");
  });

  story(stage, "the composer completes what the bot's own registry has", {}, async (town) => {
    const { tab, page } = town;
    const { rows } = await town.control("/host/commands").then((answer) => (Array.isArray(answer) ? { rows: answer } : { rows: answer.commands ?? answer.rows }));
    const verbs = rows.map((row) => row.usage.split(" ")[0]);
    for (const verb of ["status", "approve", "reject", "why", "history", "check", "lock", "unlock", "freeze", "unfreeze", "runs", "retry", "stop", "help"]) {
      assert.ok(verbs.includes(verb), `${verb} is in the registry: ${verbs}`);
    }
    await tab.test("composer").fill("");
    await tab.test("composer").pressSequentially("/deploy app");
    const offer = tab.test("offer").first();
    await offer.waitFor();
    assert.match(await offer.innerText(), /approve.*<env>.*Vote yes/s);
    await page.keyboard.press("Tab");
    assert.match(await tab.test("composer").inputValue(), /^\/deploy approve /);
    await tab.test("composer").fill("/deploy aprove mainnet");
    await page.keyboard.press("Escape");
    await tab.test("composer").press("Enter");
    assert.match(await (await town.whisper("aprove")).innerText(), /approve/, "a slip is answered with what was meant");
  });

  story(stage, "whoever presses after the decision hears who was first", {}, async (town) => {
    await town.waits();
    await town.control("/faults", { target: "aws.PutApprovalResult", kind: "hold_before", times: 1 });
    await town.bothApprove();
    await town.card("telling CodePipeline…");
    await town.tab.becomes("U0ANN");
    await town.tab.says("/deploy approve mainnet");
    assert.match(await (await town.whisper("nothing was sent twice")).innerText(), /Bruno Lima approved/);
    await town.control("/faults/release", {});
    await town.card("CodePipeline confirmed");
    assert.equal((await town.answers()).length, 1);
  });

  story(stage, "the CTO breaks the glass, and everybody sees it", { as: "U0CARLA" }, async (town) => {
    await town.waits();
    await town.passes(SETTLED);
    await town.tab.says("/deploy approve mainnet --override mainnet is down");
    const card = await (await town.card("GLASS BROKEN")).innerText();
    assert.match(card, /The glass was broken by @?Carla Mendes: “?mainnet is down/);
    await town.journalSays("answered", "confirmed");
    assert.equal((await town.answers()).length, 1);
    await town.tab.becomes("U0RITA");
    assert.match(await (await town.card("GLASS BROKEN")).innerText(), /Carla/, "not only those who may do it see it");
  });
}
