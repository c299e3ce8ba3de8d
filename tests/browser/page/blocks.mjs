// Messages and Block Kit: drawn right, harmless, and operated once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { control } from "../harness.mjs";
import { actions, button, mrkdwn, option, plain, section, unique } from "./kit.mjs";

export function blocks(stage) {
  test("a card is drawn as in Slack, dates in the zone of whoever reads it", async () => {
    const title = unique("wallet → mainnet waits");
    const at = Date.UTC(2026, 10, 12, 14, 30) / 1000;
    await stage.app.posts(title, [
      { type: "header", text: plain(`:vertical_traffic_light: ${title}`) },
      section(`*\`4f2c1d9\` retry tx* by <@U0DANA>, <!date^${at}^{date_short} at {time}|then> · <https://github.com/acme|compare>`),
      { type: "section", fields: [mrkdwn("*Tier*\nproduction"), mrkdwn("*Who*\n<!subteam^S0OPS>")] },
      { type: "divider" },
      { type: "context", elements: [mrkdwn("~old~ _new_ :white_check_mark:")] },
      actions(button("card-yes", "Approve", { style: "primary" })),
    ]);
    const tab = await stage.open();
    const card = tab.message(title);
    await card.waitFor();
    assert.match(await card.locator(".header").innerText(), /^🚦 wallet/);
    assert.equal(await card.locator("strong .code").innerText(), "4f2c1d9");
    assert.equal(await card.locator("time[datetime='2026-11-12T14:30:00.000Z']").innerText(), "Nov 12, 2026 at 11:30 AM");
    assert.equal(await card.locator("a.link").getAttribute("href"), "https://github.com/acme");
    assert.deepEqual(await card.locator(".mention").allInnerTexts(), ["@Dana Okafor", "@ops"]);
    assert.equal(await card.locator(".context s").innerText(), "old");
    assert.equal(await card.locator("hr").count(), 1);
    assert.match(await card.locator(".byline").innerText(), /signalbox\s*APP/);
    await tab.becomes("U0DANA");
    await tab.page.locator("time", { hasText: "Nov 12, 2026 at" }).filter({ hasNotText: "11:30 AM" }).first().waitFor();
    assert.equal(await tab.message(title).locator(".mention-me").innerText(), "@Dana Okafor");
    await tab.close();
  });

  test("what others write stays text, whichever block it is in", async () => {
    const evil = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>`;
    const escaped = evil.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const name = unique("evil");
    await stage.app.posts(`${name} ${escaped}`, [
      section(`${name} ${escaped} <javascript:window.pwned=1|press me>`),
      { type: "section", text: plain(evil) },
      { type: "markdown", text: `${evil}\n\n[press](javascript:window.pwned=1)\n\n| ${evil} |\n|---|\n| x |` },
      { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text: evil }] }] },
      { type: "context", elements: [mrkdwn(escaped)] },
      actions(button("evil", evil.slice(0, 70))),
    ]);
    await control(stage.url, "/slack/message", { user: "U0RITA", channel: "C0DEPLOYS", text: `${name} by Rita ${evil}` });
    const tab = await stage.open();
    const card = tab.message(name).first();
    await tab.message(`${name} by Rita`).waitFor();
    const scroller = tab.test("messages");
    assert.equal(await scroller.locator("img, script, iframe, [onerror]").count(), 0);
    assert.equal(await scroller.locator("a[href^='javascript']").count(), 0);
    assert.ok((await card.innerText()).length > 0);
    assert.ok((await tab.message(`${name} by Rita`).innerText()).includes(evil), "the person's words are shown as typed");
    assert.equal(await tab.page.evaluate(() => window.pwned), undefined);
    await tab.close();
  });

  test("a button waits for its answer and cannot be pressed twice", async () => {
    const title = unique("press once");
    const drawing = (state) => [section(`${title} ${state}`), { ...actions(button("once", "Approve")), block_id: "decide" }];
    const ts = await stage.app.posts(title, drawing("first"));
    const tab = await stage.open();
    const press = tab.message(title).locator("[data-action=once]");
    let release;
    stage.app.gate = new Promise((resolve) => {
      release = resolve;
    });
    await press.click();
    await tab.page.waitForFunction((element) => element.getAttribute("aria-busy") === "true", await press.elementHandle());
    await press.evaluate((element) => element.click());
    // A redraw in the meantime must not give a fresh button.
    await stage.app.call("chat.update", { channel: "C0DEPLOYS", ts, text: title, blocks: drawing("again") });
    await tab.message(`${title} again`).waitFor();
    assert.equal(await press.getAttribute("aria-busy"), "true");
    await press.evaluate((element) => element.click());
    release();
    stage.app.gate = null;
    await tab.page.waitForFunction(() => document.querySelectorAll("[aria-busy=true]").length === 0);
    assert.equal(stage.app.interactions("once").length, 1);
    await tab.close();
  });

  test("a confirmation stands between a click and the app", async () => {
    const title = unique("confirm");
    const confirm = { title: plain("To production?"), text: mrkdwn("*4 commits*"), confirm: plain("Do it"), deny: plain("Not yet"), style: "danger" };
    await stage.app.posts(title, [section(title), actions(button("sure", "Approve", { confirm }))]);
    const tab = await stage.open();
    const press = tab.message(title).locator("[data-action=sure]");
    await press.click();
    assert.equal(await tab.test("confirm").locator("h2").innerText(), "To production?");
    assert.equal(await tab.test("confirm").locator("strong").innerText(), "4 commits");
    assert.equal(await tab.page.evaluate(() => document.activeElement.dataset.test), "confirm-deny", "the dangerous answer is not under the Enter key");
    await tab.page.keyboard.press("Escape");
    await tab.test("confirm").waitFor({ state: "detached" });
    assert.equal(await tab.page.evaluate(() => document.activeElement.dataset.action), "sure", "the focus is back");
    assert.equal(stage.app.interactions("sure").length, 0);
    await press.click();
    const heard = stage.app.next(({ payload }) => payload.actions?.[0]?.action_id === "sure");
    await tab.test("confirm-ok").click();
    assert.equal((await heard).payload.user.id, "U0ANN");
    await tab.close();
  });

  test("selects, choices and menus tell the app what was chosen", async () => {
    const title = unique("choose");
    await stage.app.posts(title, [
      section(title, { accessory: { type: "overflow", action_id: "more", options: [option("a", "Look again"), option("b", "Wait for the newest")] } }),
      actions(
        { type: "static_select", action_id: "env", placeholder: plain("Environment"), options: [option("testnet"), option("mainnet")] },
        { type: "users_select", action_id: "who", placeholder: plain("Who") },
        { type: "datepicker", action_id: "day", placeholder: plain("Day") },
      ),
      { type: "section", text: mrkdwn("Checks"), accessory: { type: "checkboxes", action_id: "boxes", options: [option("x"), option("y")] } },
    ]);
    const tab = await stage.open();
    const card = tab.message(title);
    const heard = (id) => stage.app.next(({ payload }) => payload.actions?.[0]?.action_id === id).then(({ payload }) => payload.actions[0]);
    const [env] = await Promise.all([heard("env"), card.locator("[data-action=env]").selectOption("mainnet")]);
    assert.equal(env.selected_option.value, "mainnet");
    const [who] = await Promise.all([heard("who"), card.locator("[data-action=who]").selectOption("U0BRUNO")]);
    assert.equal(who.selected_user, "U0BRUNO");
    const [day] = await Promise.all([heard("day"), card.locator("[data-action=day]").fill("2026-12-01")]);
    assert.equal(day.selected_date, "2026-12-01");
    const [boxes] = await Promise.all([heard("boxes"), card.locator("input[data-value=y]").check()]);
    assert.deepEqual(boxes.selected_options.map((each) => each.value), ["y"]);
    const more = heard("more");
    await card.locator("[data-action=more]").press("Enter");
    await tab.page.keyboard.press("ArrowDown");
    await tab.page.keyboard.press("Enter");
    assert.equal((await more).selected_option.value, "b");
    await tab.close();
  });

  test("a card that changes keeps the focus, and the place where one reads", async () => {
    for (let line = 0; line < 30; line += 1) {
      await control(stage.url, "/slack/message", { user: "U0RITA", channel: "C0DEPLOYS", text: unique("filler") });
    }
    const title = unique("living card");
    const drawing = (state) => [section(`${title} ${state}`), { ...actions(button("keep", "Approve"), button("other", "Reject")), block_id: `b-${state}` }];
    const ts = await stage.app.posts(title, drawing("one"));
    const tab = await stage.open();
    await tab.message(title).locator("[data-action=other]").focus();
    await stage.app.call("chat.update", { channel: "C0DEPLOYS", ts, text: title, blocks: drawing("two") });
    await tab.message(`${title} two`).waitFor();
    assert.equal(await tab.page.evaluate(() => document.activeElement.dataset.action), "other");
    const scroller = tab.test("messages");
    await scroller.evaluate((element) => {
      element.scrollTop = 200;
      element.dispatchEvent(new Event("scroll"));
    });
    const before = await scroller.evaluate((element) => element.scrollTop);
    const newest = unique("arrives while one reads");
    await stage.app.posts(newest);
    await tab.message(newest).waitFor({ state: "attached" });
    assert.equal(await scroller.evaluate((element) => element.scrollTop), before);
    await tab.test("jump-to-newest").click();
    await tab.page.waitForFunction(() => {
      const element = document.querySelector('[data-test="messages"]');
      return element.scrollHeight - element.scrollTop - element.clientHeight < 2;
    });
    await tab.close();
  });

  test("pictures from elsewhere are described and linked, not fetched", async () => {
    const title = unique("pictures");
    await stage.app.posts(title, [section(title), { type: "image", image_url: "https://pictures.example/x.png", alt_text: "a chart of errors" }]);
    const tab = await stage.open();
    assert.equal(await tab.message(title).getByText("a chart of errors").getAttribute("href"), "https://pictures.example/x.png");
    assert.equal(await tab.message(title).locator("img").count(), 0);
    await tab.close();
  });
}
