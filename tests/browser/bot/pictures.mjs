// The pictures that the documentation shows, made by the demo as it is: `SIGNALBOX_PICTURES=docs/images node --test tests/browser/bot.test.mjs`.

import { join } from "node:path";

import { SETTLED, story } from "./town.mjs";

export function pictures(stage, folder) {
  const at = (name) => join(folder, name);

  story(stage, "pictures: a release from its card to its end", {}, async (town) => {
    const { tab, page } = town;
    const card = await town.waits();
    await page.screenshot({ path: at("page.png") });
    await town.control("/aws/hold", { pipeline: "wallet-service", stage: "Deploy", held: true });
    await town.bothApprove();
    await town.card("Deploy running");
    await still(tab);
    await card.screenshot({ path: at("card-following.png") });
    await town.control("/aws/hold", { pipeline: "wallet-service", stage: "Deploy", held: false });
    await town.passes(60);
    await town.card("released");
    await still(tab);
    await card.screenshot({ path: at("card-ended.png") });
  });

  story(stage, "pictures: on a phone", { phone: true }, async (town) => {
    await town.waits();
    await town.passes(SETTLED);
    await still(town.tab);
    // As tall as the card, so that its first line and its buttons are both in the picture.
    await town.page.setViewportSize({ width: 390, height: 980 });
    await town.page.screenshot({ path: at("phone.png") });
  });

  story(stage, "pictures: a lost answer", { dark: true }, async (town) => {
    const { tab, page } = town;
    await tab.test("close-aws").click();
    await town.waits();
    await town.opensDrawer();
    await tab.test("break-lose-approval").click();
    await town.bothApprove();
    await town.card("CodePipeline confirmed");
    await tab.test("journal-row", "answered").waitFor();
    await still(tab);
    await page.screenshot({ path: at("break-something.png") });
  });
}

/** The pointer away from everything that lights up under it, and the newest in view. */
async function still(tab) {
  await tab.page.mouse.move(0, 0);
  await tab.page.evaluate(() => document.activeElement?.blur());
}
