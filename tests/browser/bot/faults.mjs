// "Break something": whatever is lost, refused or killed, it happens once and the card tells the truth.

import assert from "node:assert/strict";

import { story } from "./town.mjs";

export function faults(stage) {
  story(stage, "AWS's answer is lost: the approval happened once, and the journal says that it was confirmed", {}, async (town) => {
    const { tab } = town;
    await town.waits();
    await town.opensDrawer();
    await tab.test("break-lose-approval").click();
    await tab.test("fault", "aws.PutApprovalResult").waitFor();
    await town.bothApprove();
    await town.card("CodePipeline confirmed");
    await tab.test("fault", "aws.PutApprovalResult").waitFor({ state: "detached" });
    assert.equal(await town.carriedOut("aws.PutApprovalResult"), 1);
    assert.equal((await town.answers()).length, 1);
    await town.journalSays("answered", "confirmed");
    assert.match(await tab.test("wire-entry", "aws.PutApprovalResult").first().innerText(), /answer lost · done/);
    await tab.test("journal-row", "answered").waitFor();
    assert.match(await tab.test("journal-row", "answered").innerText(), /confirmed/);
    await town.oneCard();
  });

  story(stage, "Slack says 429 to an edit: the card comes late, and right", {}, async (town) => {
    const { tab } = town;
    await town.waits();
    await town.control("/faults", { target: "slack.chat.update", kind: "throttle", retry_after: 2, times: 2 });
    await town.annApproves();
    await town.opensDrawer();
    await tab.test("wire-entry", "slack.chat.update").filter({ hasText: "throttle" }).first().waitFor();
    assert.equal(await tab.test("wire-entry", "slack.chat.update").filter({ hasText: "throttle · not done" }).count(), 2);
    await town.oneCard();
  });

  story(stage, "the bot is killed while it waits: the vote is still there, and the card too", {}, async (town) => {
    const { tab } = town;
    await town.waits();
    await town.annApproves();
    await town.opensDrawer();
    await tab.test("restart-bot").click();
    await tab.page.waitForFunction(() => document.querySelector('[data-test="restart-bot"]:not([aria-busy])') !== null);
    await tab.becomes("U0BRUNO");
    await town.presses("approve", { asks: true });
    await town.card("CodePipeline confirmed");
    assert.equal((await town.answers()).length, 1);
    await town.oneCard();
  });

  story(stage, "the bot is killed while the answer is on its way: one answer, one card", {}, async (town) => {
    const { tab } = town;
    await town.waits();
    await town.opensDrawer();
    await tab.test("break-hold-approval").click();
    await tab.test("fault", "aws.PutApprovalResult").waitFor();
    await town.bothApprove();
    await town.card("telling CodePipeline…");
    await tab.test("release").waitFor();
    await tab.test("restart-bot").click();
    await tab.page.waitForFunction(() => document.querySelector('[data-test="restart-bot"]:not([aria-busy])') !== null);
    if (await tab.test("release").isVisible()) {
      await tab.test("release").click();
    }
    // The embedded store ends the dead bot's lease when it is opened again, so no time has to pass. Were it jumped, the run might be over before anybody saw this.
    await town.card("CodePipeline confirmed");
    assert.equal((await town.answers()).length, 1);
    await town.oneCard();
  });

  story(stage, "nobody answers in time: the card says so and has no button that would do nothing", {}, async (town) => {
    const { tab } = town;
    const card = await town.waits();
    await town.opensDrawer();
    await tab.test("expire-approval").getByText("wallet-service").click();
    const text = await (await town.card("Ended")).innerText();
    assert.match(text, /nobody answered|expired|in time|gave up/i);
    assert.equal(await card.locator("[data-action=approve]").count(), 0);
    assert.equal((await town.answers()).length, 0);
  });

  story(stage, "the clock is jumped by a week: CodePipeline gives up, and the card says so", {}, async (town) => {
    const { tab } = town;
    const card = await town.waits();
    await town.opensDrawer();
    await tab.test("clock-jump", "604800").click();
    const text = await (await town.card("Ended")).innerText();
    assert.match(text, /nobody answered|expired|in time|gave up/i);
    assert.equal(await card.locator("[data-action=approve]").count(), 0);
  });
}
