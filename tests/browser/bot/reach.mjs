// The whole way on a phone, and with a keyboard alone.

import assert from "node:assert/strict";

import { SETTLED, story } from "./town.mjs";

const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** Presses Tab until something has the focus; gives up after a page full of stops. */
async function tabTo(page, selector, { back = false } = {}) {
  for (let stop = 0; stop < 80; stop += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) {
      return;
    }
    await page.keyboard.press(back ? "Shift+Tab" : "Tab");
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}

export function reach(stage) {
  story(stage, "on a phone one sees the card and its forms, decides and sees the end", { phone: true }, async (town) => {
    const { tab, page } = town;
    const card = await town.waits();
    assert.equal(await sideways(page), 0);
    for (const action of ["approve", "approve_notes", "reject", "why", "check"]) {
      const box = await card.locator(`[data-action=${action}]`).boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 390, `${action} is on the screen`);
      assert.ok(box.height >= 32, `${action} can be hit with a thumb: ${box.height}`);
    }
    for (const [action, title] of [["approve_notes", "Approve 5a625cb"], ["reject", "Reject 5a625cb"]]) {
      await card.locator(`[data-action=${action}]`).tap();
      await tab.test("modal").getByText(title).waitFor();
      assert.equal(await sideways(page), 0);
      for (const name of ["modal-submit", "modal-close", "modal-cross"]) {
        const box = await tab.test(name).boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= 390 && box.y + box.height <= 844, `${name} of “${title}” is on the screen`);
      }
      await tab.test("modal-cross").tap();
      await tab.test("modal").waitFor({ state: "detached" });
    }
    await town.passes(SETTLED);
    await tab.says("/deploy approve mainnet");
    await town.card("Approved 1 of 2");
    await tab.test("toggle-side").click();
    await tab.becomes("U0BRUNO");
    await page.keyboard.press("Escape");
    await card.locator("[data-action=approve]").tap();
    const question = await tab.test("confirm").boundingBox();
    assert.ok(question.x >= 0 && question.x + question.width <= 390);
    await tab.test("confirm-ok").tap();
    await town.card("CodePipeline confirmed");
    assert.equal(await sideways(page), 0);
    await town.passes(60);
    await town.card("released");
    assert.equal(await sideways(page), 0);
  });

  story(stage, "with a keyboard alone: approve, become somebody else, approve, confirm", { dark: true }, async (town) => {
    const { tab, page } = town;
    await town.waits();
    await town.passes(SETTLED);
    await tabTo(page, '[data-test="composer"]');
    await page.keyboard.type("/deploy approve mainnet");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await town.card("Approved 1 of 2");
    await tabTo(page, '[data-test="user-switcher"]', { back: true });
    await page.keyboard.press("Enter");
    await tab.test("switch-to", "U0BRUNO").waitFor();
    for (let step = 0; step < 10 && !(await page.evaluate(() => document.activeElement?.dataset.value === "U0BRUNO")); step += 1) {
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Enter");
    await page.waitForURL(/as=U0BRUNO/);
    await tabTo(page, '[data-action="approve"]');
    await page.keyboard.press("Enter");
    await tab.test("confirm").waitFor();
    await tabTo(page, '[data-test="confirm-ok"]');
    await page.keyboard.press("Enter");
    await town.card("CodePipeline confirmed");
    const answers = await town.answers();
    assert.equal(answers.length, 1);
    assert.match(answers[0].caller ?? "", /U0BRUNO/);
  });
}
