// The forms behind the card's buttons.

import assert from "node:assert/strict";

import { story } from "./town.mjs";

export function forms(stage) {
  story(stage, "a rejection wants a reason, and the reason stands on the card", {}, async (town) => {
    const { tab } = town;
    await town.waits();
    await town.presses("reject");
    const modal = tab.test("modal");
    await modal.waitFor();
    assert.match(await modal.innerText(), /Reject 5a625cb/);
    await tab.test("modal-submit").click();
    assert.match(await tab.test("input-error").innerText(), /required/i);
    // A reason of blanks passes Slack's own check, but tells nobody anything: that is the bot's to say.
    await modal.locator("textarea").fill("   ");
    await tab.test("modal-submit").click();
    await tab.test("input-error").filter({ hasText: "Say why" }).waitFor();
    assert.equal((await town.answers()).length, 0);
    await modal.locator("textarea").fill("the fee is <wrong> & too high");
    await tab.test("modal-submit").click();
    await modal.waitFor({ state: "detached" });
    const card = await (await town.card("rejected by Ann Ferreira")).innerText();
    assert.ok(card.includes("the fee is <wrong> & too high"), card);
    const answers = await town.answers();
    assert.equal(answers.length, 1);
    assert.equal(answers[0].status, "Rejected");
    await town.oneCard();
  });

  story(stage, "an approval with notes carries them to the card", {}, async (town) => {
    const { tab } = town;
    await town.waits();
    await town.presses("approve_notes");
    const modal = tab.test("modal");
    await modal.waitFor();
    await modal.locator("textarea").fill("I have watched testnet for a day");
    await tab.test("modal-submit").click();
    await modal.waitFor({ state: "detached" });
    const card = await (await town.card("Approved 1 of 2")).innerText();
    assert.ok(card.includes("I have watched testnet for a day"), card);
    assert.match(card, /@Ann Ferreira at/);
  });

  story(stage, "a form that is put away does nothing", {}, async (town) => {
    const { tab } = town;
    await town.waits();
    await town.presses("reject");
    await tab.test("modal").waitFor();
    await tab.page.keyboard.press("Escape");
    await tab.test("modal").waitFor({ state: "detached" });
    await town.card("Approved 0 of 2");
    assert.equal((await town.answers()).length, 0);
  });
}
