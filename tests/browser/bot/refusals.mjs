// Those who may not: each hears why and what to do next, and nobody else hears it.

import assert from "node:assert/strict";

import { SETTLED, story } from "./town.mjs";

const NO = [
  ["U0RITA", /You may not approve mainnet\. Ask @wallet-approvers/],
  ["U0GUS", /Guests may not use Signalbox\. Ask a full member/],
  ["U0DANA", /You wrote part of this, so somebody else has to approve it for mainnet/],
];

export function refusals(stage) {
  story(stage, "someone without rights, a guest and the author are refused privately, by text and by button", {}, async (town) => {
    const { tab } = town;
    await town.waits();
    // A card that is a moment old: who may not approve it is told so, not asked which one is meant.
    await tab.becomes("U0RITA");
    await tab.says("/deploy approve mainnet");
    await town.whisper("You may not approve mainnet");
    await town.passes(SETTLED);
    for (const [user, why] of NO) {
      await tab.becomes(user);
      await tab.says("/deploy approve mainnet");
      await tab.page.waitForFunction((pattern) => [...document.querySelectorAll('[data-ephemeral="true"]')].some((each) => new RegExp(pattern).test(each.innerText)), why.source);
      const before = await tab.page.locator('[data-ephemeral="true"]').count();
      await town.presses("approve", { asks: true });
      await tab.page.waitForFunction((count) => document.querySelectorAll('[data-ephemeral="true"]').length > count, before);
      assert.match(await tab.page.locator('[data-ephemeral="true"]').last().innerText(), why, `${user} by button`);
    }
    await tab.becomes("U0ANN");
    await town.card("Approved 0 of 2");
    assert.equal(await tab.page.locator('[data-ephemeral="true"]').count(), 0, "Ann sees nothing of it");
    assert.equal((await town.answers()).length, 0);
    const reasons = (await town.journal()).filter((row) => row.event === "refused").map((row) => `${row.actor} ${row.reason}`);
    for (const expected of ["U0RITA role", "U0GUS identity", "U0DANA self_approval"]) {
      assert.ok(reasons.includes(expected), `${expected} is in the journal: ${reasons}`);
    }
  });

  story(stage, "a stranger in the shared channel gets nothing done", { as: "U0EVE", at: "C0SHARED" }, async (town) => {
    const { tab } = town;
    tab.expected.push(/404/);
    await town.passes(SETTLED);
    await town.journalSays("verdict_given");
    // Slack offers the command to nobody outside of the workspace; mentions reach the bot all the same.
    await tab.says("/deploy approve wallet mainnet");
    await town.whisper("/deploy is not a valid command");
    await tab.says("@signalbox approve wallet mainnet");
    const answer = await (await town.whisper("You belong to another workspace")).innerText();
    // Who has nothing to look for here learns nothing else either.
    assert.doesNotMatch(answer, /wallet is changed in|mainnet/);
    await tab.becomes("U0ANN");
    await tab.message("approve wallet mainnet").waitFor();
    assert.equal(await tab.page.locator('[data-ephemeral="true"]').count(), 0, "nobody else in the channel reads why");
    assert.equal((await town.answers()).length, 0);
  });

  story(stage, "\"Why can't I?\" answers with every gate, who can, until when, and what to type", { as: "U0RITA" }, async (town) => {
    await town.waits();
    await town.presses("why");
    const why = await (await town.whisper("1 thing is in the way")).innerText();
    for (const words of ["⛔ You may not approve mainnet", "✅ No freeze is on", "✅ It has succeeded on testnet", "Who can: @Ann Ferreira or @Bruno Lima", "Until:", "/deploy approve wallet mainnet 5a625cb"]) {
      assert.ok(why.includes(words), `${words}: ${why}`);
    }
  });

  story(stage, "a lock and a freeze stand on the card and in the way", { as: "U0BRUNO" }, async (town) => {
    const { tab } = town;
    await town.waits();
    await town.passes(SETTLED);
    await tab.says("/deploy lock mainnet for 2h counting the ledger");
    await town.card("counting the ledger");
    await tab.says("/deploy freeze mainnet for 1h emergency release");
    await town.card("emergency release");
    await tab.becomes("U0ANN");
    await tab.says("/deploy approve mainnet");
    const refused = await (await town.whisper("2 reasons")).innerText();
    assert.match(refused, /counting the ledger/);
    assert.match(refused, /emergency release/);
    await tab.becomes("U0BRUNO");
    await tab.says("/deploy unfreeze mainnet");
    await tab.says("/deploy unlock mainnet");
    await town.card("no freeze · no lock");
  });
}
