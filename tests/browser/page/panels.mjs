// The AWS account and the drawer: what one does there happens, and what cannot be done says why.

import assert from "node:assert/strict";
import { test } from "node:test";

import { control } from "../harness.mjs";
import { unique } from "./kit.mjs";

const SERVICE = "wallet-service";

async function drawer(tab) {
  if (!(await tab.page.locator("#drawer").isVisible())) {
    await tab.test("toggle-drawer").click();
  }
  await tab.test("fault-custom").waitFor();
}

export function panels(stage) {
  test("a pushed commit runs to its approval, and the console can decide it", async () => {
    const tab = await stage.open();
    const card = tab.test("pipeline", SERVICE);
    const message = unique("Add an index");
    // A failing build would end it; a run that waits already would be in the way.
    const waiting = card.locator("[data-test=waiting-approval]");
    await waiting.waitFor();
    await waiting.locator("[data-test=decide-in-console]").click();
    await tab.test("console-reject").click();
    await waiting.waitFor({ state: "detached" });
    await tab.test("push-pipeline").selectOption(SERVICE);
    await tab.test("push-message").fill(message);
    await tab.test("push-more").click();
    await tab.test("push-author").selectOption("U0BRUNO");
    await tab.test("push-files").fill("db/migrations/1.js\nsrc/index.ts");
    await tab.test("push-send").click();
    await card.locator("[data-test=execution]", { hasText: message }).waitFor();
    await waiting.getByText(message).waitFor();
    const { github } = await control(stage.url, "/state");
    const commit = github.repositories.flatMap((each) => each.commits).find((each) => each.message === message);
    assert.equal(commit.author, "Bruno Lima");
    assert.deepEqual(commit.files, ["db/migrations/1.js", "src/index.ts"]);
    await waiting.locator("[data-test=decide-in-console]").click();
    await tab.test("console-approve").click();
    await waiting.waitFor({ state: "detached" });
    await tab.close();
  });

  test("an approval is let run out from the drawer", async () => {
    const tab = await stage.open();
    await drawer(tab);
    const message = unique("Wait too long");
    await control(stage.url, "/aws/push", { pipeline: SERVICE, message, author: "dana" });
    await tab.test("waiting-approval").getByText(message).waitFor();
    await tab.test("expire-approval").getByText(SERVICE).click();
    await tab.test("execution", "Failed").filter({ hasText: message }).waitFor();
    await tab.close();
  });

  test("a stage is held, fails and is retried from its menu", async () => {
    const tab = await stage.open();
    const card = tab.test("pipeline", "web-staging");
    const build = card.locator('[data-test=stage][data-value="Build"]');
    await build.click();
    await tab.test("stage-hold").click();
    await tab.page.waitForFunction(() => document.querySelector('[data-test=pipeline][data-value="web-staging"] [data-test=stage][data-value="Build"]').getAttribute("aria-label").includes("held"));
    await build.click();
    await tab.test("stage-fail").click();
    await tab.page.waitForFunction(() => document.querySelector('[data-test=pipeline][data-value="web-staging"] [data-test=stage][data-value="Build"]').getAttribute("aria-label").includes("the next action fails"));
    await build.click();
    await tab.test("stage-release").click();
    await tab.test("push-pipeline").selectOption("web-staging");
    await tab.test("push-message").fill(unique("Break the build"));
    await tab.test("push-send").click();
    await card.locator('[data-test=execution][data-value="Failed"]').first().waitFor();
    await build.click();
    await tab.test("stage-retry").click();
    await card.locator('[data-test=execution][data-value="InProgress"]').first().waitFor();
    await tab.close();
  });

  test("an alarm is raised and put right", async () => {
    const tab = await stage.open();
    const alarm = tab.test("alarm").first();
    const name = await alarm.getAttribute("data-value");
    for (const state of ["ALARM", "OK"]) {
      await alarm.locator("select").selectOption(state);
      await tab.page.waitForFunction(
        async ([wanted, which]) => (await (await fetch("/control/state")).json()).aws.alarms.find((each) => each.name === which).state === wanted,
        [state, name],
      );
    }
    await tab.close();
  });

  test("a lost answer is set, strikes once, and the wire shows that the work was done", async () => {
    const tab = await stage.open();
    await drawer(tab);
    await tab.test("break-lose-post").click();
    await tab.test("fault", "slack.chat.postMessage").waitFor();
    assert.match(await tab.test("toggle-drawer").getAttribute("aria-label"), /1 set/);
    const word = unique("lost answer");
    await assert.rejects(stage.app.posts(word), "the caller hears nothing");
    await tab.message(word).waitFor();
    await tab.test("fault", "slack.chat.postMessage").waitFor({ state: "detached" });
    const entry = tab.test("wire-entry", "slack.chat.postMessage").last();
    assert.match(await entry.innerText(), /answer lost · done/);
    await entry.click();
    await tab.page.locator(".wire-arguments").getByText(word).waitFor();
    assert.match(await tab.test("count", "slack.chat.postMessage").innerText(), /\d+×/);
    await tab.close();
  });

  test("any call can be broken by name, held and let go", async () => {
    const tab = await stage.open();
    await drawer(tab);
    await tab.test("fault-custom").click();
    await tab.test("fault-target").fill("slack.auth.test");
    await tab.test("fault-kind").selectOption("refuse");
    await tab.test("fault-detail").fill("account_inactive");
    await tab.test("fault-set").click();
    await tab.test("fault", "slack.auth.test").waitFor();
    await assert.rejects(stage.app.call("auth.test", {}), /account_inactive/);
    await tab.test("fault", "slack.auth.test").getByText("struck 1").waitFor();
    await tab.test("fault-remove").click();
    await tab.test("fault", "slack.auth.test").waitFor({ state: "detached" });
    assert.equal((await stage.app.call("auth.test", {})).ok, true);
    await tab.test("fault-target").fill("slack.auth.test");
    await tab.test("fault-kind").selectOption("hold_before");
    await tab.test("fault-times").fill("1");
    await tab.test("fault-set").click();
    await tab.test("fault", "slack.auth.test").waitFor();
    const held = stage.app.call("auth.test", {});
    await tab.test("release").click();
    assert.equal((await held).ok, true);
    await tab.close();
  });

  test("what needs the bot's host is grayed with its reason, or works", async () => {
    const { host } = await control(stage.url, "/state");
    const tab = await stage.open();
    await drawer(tab);
    const restart = tab.test("restart-bot");
    assert.equal(await restart.isEnabled(), host.available);
    assert.equal(await tab.test("clock-jump", "3600").isEnabled(), host.available);
    if (!host.available) {
      const reason = await tab.page.locator(`#${await restart.getAttribute("aria-describedby")}`).innerText();
      assert.ok(reason.includes(host.reason) && host.reason !== "", reason);
      assert.match(await tab.test("journal-reason").innerText(), /Grayed: ./);
    }
    await tab.close();
  });
}
