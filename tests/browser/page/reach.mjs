// Within everyone's reach: a phone, a keyboard, a screen reader.

import assert from "node:assert/strict";
import { test } from "node:test";

import { control } from "../harness.mjs";
import { actions, button, input, modal, section, unique } from "./kit.mjs";

const focused = (page) => page.evaluate(() => document.activeElement.dataset.test ?? document.activeElement.tagName);

/** How far the page can be scrolled sideways, pixels. */
const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

export function reach(stage) {
  test("at 390 pixels every panel is a sheet that takes the focus and gives it back", async () => {
    const title = unique("on a phone");
    const ts = await stage.app.posts(title, [section(`${title} \`a-very-long-name-without-any-break-${"x".repeat(90)}\``), actions(button("p1", "Approve"), button("p2", "Approve with notes"), button("p3", "Reject"), button("p4", "Why can't I?"))]);
    await stage.app.posts("detail", undefined, { thread_ts: ts });
    const tab = await stage.open({ phone: true });
    const { page } = tab;
    await tab.message(title).waitFor();
    assert.equal(await sideways(page), 0);
    assert.equal(await tab.test("channel").first().isVisible(), false, "the sidebar is away");
    for (const [toggle, panel] of [["toggle-side", "side"], ["toggle-aws", "aws"], ["toggle-drawer", "drawer"]]) {
      await tab.test(toggle).click();
      await page.locator(`#${panel}:focus-within`).waitFor();
      assert.equal(await page.locator("#main").evaluate((element) => element.inert), true, `${panel}: what is behind is out of reach`);
      assert.equal(await sideways(page), 0, panel);
      await page.keyboard.press("Escape");
      await page.locator(`[data-test=${toggle}]:focus`).waitFor();
      assert.equal(await page.locator("#main").evaluate((element) => element.inert), false);
    }
    await tab.message(title).locator("[data-test=open-thread]").click();
    await page.waitForFunction(() => document.activeElement.dataset.test === "thread-composer");
    const box = await page.locator("#thread").boundingBox();
    assert.deepEqual([box.x, box.width], [0, 390], "the thread fills the screen");
    await tab.test("close-thread").click();
    await page.waitForURL(/#C0DEPLOYS$/);
    await tab.test("toggle-side").click();
    await tab.test("channel", "C0GENERAL").click();
    await page.waitForURL(/#C0GENERAL$/);
    // Choosing a channel closes the sidebar.
    await tab.test("channel").first().waitFor({ state: "hidden" });
    await tab.close();
  });

  test("a menu stays open while somebody writes in the channel behind it", async () => {
    for (let line = 0; line < 30; line += 1) {
      await control(stage.url, "/slack/message", { user: "U0RITA", channel: "C0DEPLOYS", text: unique("fill the channel") });
    }
    const tab = await stage.open();
    await tab.test("user-switcher").click();
    await tab.test("switch-to", "U0GUS").waitFor();
    const before = await tab.test("messages").evaluate((element) => element.scrollTop);
    await control(stage.url, "/slack/message", { user: "U0RITA", channel: "C0DEPLOYS", text: unique("meanwhile") });
    await tab.page.waitForFunction((top) => document.querySelector('[data-test="messages"]').scrollTop > top, before);
    await tab.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    assert.equal(await tab.test("switch-to", "U0GUS").isVisible(), true);
    await tab.test("switch-to", "U0GUS").click();
    await tab.page.waitForURL(/as=U0GUS/);
    await tab.close();
  });

  test("at 390 pixels a modal fills the screen and its buttons can be reached", async () => {
    const id = unique("phone").replaceAll(" ", "-");
    const title = unique("phone modal");
    stage.app.on(id, async (payload) => {
      const fields = [1, 2, 3, 4, 5, 6, 7, 8].map((each) => input(`b${each}`, `Field ${each}`, { type: "plain_text_input", action_id: "v", multiline: true }, { optional: true }));
      setImmediate(() => stage.app.call("views.open", { trigger_id: payload.trigger_id, view: modal(`${id}-view`, "A long form", fields) }));
      return null;
    });
    await stage.app.posts(title, [section(title), actions(button(id, "Open"))]);
    const tab = await stage.open({ phone: true });
    await tab.message(title).locator(`[data-action="${id}"]`).click();
    await tab.test("modal").waitFor();
    const dialog = await tab.test("modal").boundingBox();
    assert.deepEqual([dialog.x, dialog.width, dialog.height], [0, 390, 844]);
    const submit = await tab.test("modal-submit").boundingBox();
    assert.ok(submit.y + submit.height <= 844 && submit.height >= 40, "the button is on the screen and large enough for a thumb");
    await tab.test("modal-submit").click();
    await tab.test("modal").waitFor({ state: "detached" });
    await tab.close();
  });

  test("by keyboard alone: skip, speak, decide, look through other eyes", async () => {
    const title = unique("keyboard");
    await stage.app.posts(title, [section(title), actions(button("kb", "Approve"))]);
    const tab = await stage.open();
    const { page } = tab;
    await tab.message(title).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await focused(page), "composer");
    const word = unique("typed");
    await page.keyboard.type(word);
    await page.keyboard.press("Enter");
    await tab.message(word).waitFor();
    const heard = stage.app.next(({ payload }) => payload.actions?.[0]?.action_id === "kb");
    let steps = 0;
    while ((await page.evaluate(() => document.activeElement.dataset.action)) !== "kb" && steps < 60) {
      await page.keyboard.press("Shift+Tab");
      steps += 1;
    }
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid", "the focus can be seen");
    await page.keyboard.press("Enter");
    assert.equal((await heard).payload.user.id, "U0ANN");
    await tab.test("user-switcher").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.type("b");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.value), "U0BRUNO");
    await page.keyboard.press("Enter");
    await page.waitForURL(/as=U0BRUNO/);
    assert.equal(await focused(page), "user-switcher", "the focus is where it was, on another face");
    await tab.close();
  });

  test("F6 goes round the regions, Escape leaves a panel", async () => {
    const tab = await stage.open();
    const { page } = tab;
    await tab.test("composer").focus();
    const region = () => page.evaluate(() => document.activeElement.closest("[data-region]")?.id);
    const seen = [];
    for (let count = 0; count < 4; count += 1) {
      await page.keyboard.press("F6");
      seen.push(await region());
    }
    assert.deepEqual(seen, ["aws", "bar", "side", "main"]);
    await page.keyboard.press("F6");
    await page.keyboard.press("Escape");
    await page.locator("#aws").waitFor({ state: "hidden" });
    await tab.close();
  });

  test("everything that can be operated has a name, and ids are unique", async () => {
    const tab = await stage.open();
    await tab.test("toggle-drawer").click();
    await tab.test("open-thread").first().click();
    await tab.test("thread-composer").waitFor();
    const nameless = await tab.page.evaluate(() => {
      const nameOf = (element) =>
        element.getAttribute("aria-label") ||
        (element.getAttribute("aria-labelledby") && document.getElementById(element.getAttribute("aria-labelledby"))?.textContent) ||
        [...(element.labels ?? [])].map((label) => label.textContent).join("") ||
        element.textContent.trim();
      return [...document.querySelectorAll("button, a[href], input, select, textarea, [tabindex='0'], dialog, aside, section, nav")]
        .filter((element) => !nameOf(element))
        .map((element) => element.outerHTML.slice(0, 120));
    });
    assert.deepEqual(nameless, []);
    const twice = await tab.page.evaluate(() => {
      const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
      return ids.filter((id, at) => ids.indexOf(id) !== at);
    });
    assert.deepEqual(twice, []);
    const landmarks = await tab.page.evaluate(() => ["header", "nav", "main"].map((tag) => document.querySelectorAll(tag).length));
    assert.deepEqual(landmarks, [1, 1, 1]);
    await tab.close();
  });
}
