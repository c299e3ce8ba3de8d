// Speaking: commands, mentions, threads, what only one person sees, and what is not delivered.

import assert from "node:assert/strict";
import { test } from "node:test";

import { control } from "../harness.mjs";
import { actions, button, section, unique } from "./kit.mjs";

export function talking(stage) {
  test("a command is completed, sent and answered to its speaker alone", async () => {
    const ann = await stage.open({ as: "U0ANN" });
    const bruno = await stage.open({ as: "U0BRUNO" });
    const composer = ann.test("composer");
    await composer.click();
    await ann.page.keyboard.type("/");
    const offers = ann.test("offer");
    await offers.first().waitFor();
    const all = await offers.count();
    assert.ok(all >= 5, "the registry is offered");
    assert.equal(await composer.getAttribute("aria-expanded"), "true");
    await ann.page.keyboard.press("ArrowDown");
    assert.equal(await offers.nth(1).getAttribute("aria-selected"), "true");
    assert.equal(await composer.getAttribute("aria-activedescendant"), await offers.nth(1).getAttribute("id"));
    await ann.page.keyboard.press("ArrowUp");
    await ann.page.keyboard.press("ArrowUp");
    assert.equal(await offers.nth(all - 1).getAttribute("aria-selected"), "true", "the list goes round");
    const picked = await offers.nth(all - 1).getAttribute("data-value");
    await ann.page.keyboard.press("Tab");
    assert.equal(await composer.inputValue(), `${picked} `);
    const said = unique("status").replaceAll(" ", "");
    await composer.fill(`/deploy ${said}`);
    await ann.page.keyboard.press("Escape");
    await ann.page.keyboard.press("Enter");
    const answer = ann.message(`You said /deploy ${said}`);
    await answer.waitFor();
    assert.equal(await answer.locator("[data-test=only-you]").innerText(), "Only visible to you");
    assert.equal(await composer.inputValue(), "");
    assert.equal(await bruno.page.getByText(said).count(), 0);
    await ann.page.keyboard.press("ArrowUp");
    assert.equal(await composer.inputValue(), `/deploy ${said}`);
    await ann.page.keyboard.press("ArrowDown");
    assert.equal(await composer.inputValue(), "");
    await ann.close();
    await bruno.close();
  });

  test("people and channels are mentioned as Slack stores them; Shift+Enter breaks the line", async () => {
    const tab = await stage.open({ as: "U0BRUNO" });
    const composer = tab.test("composer");
    const word = unique("hello");
    await composer.click();
    await tab.page.keyboard.type(`${word} @dan`);
    await tab.test("offer", "U0DANA").waitFor();
    await tab.page.keyboard.press("Enter");
    await tab.page.keyboard.press("Shift+Enter");
    await tab.page.keyboard.type("see #gen");
    await tab.test("offer", "C0GENERAL").click();
    await tab.page.keyboard.press("Enter");
    const message = tab.message(word);
    await message.waitFor();
    assert.deepEqual(await message.locator(".mention").allInnerTexts(), ["@Dana Okafor", "#general"]);
    assert.equal(await message.locator("br").count(), 1);
    const { messages } = await control(stage.url, "/messages?channel=C0DEPLOYS&user=U0BRUNO");
    assert.match(messages.at(-1).text, /<@U0DANA> ?\nsee <#C0GENERAL/);
    await message.getByText("#general").click();
    await tab.page.waitForURL(/#C0GENERAL$/);
    await tab.close();
  });

  test("a thread opens, takes replies, has an address, and knows no commands", async () => {
    const title = unique("thread");
    const ts = await stage.app.posts(title, [section(title), actions(button("t", "Button"))]);
    await stage.app.posts(`${title} detail`, undefined, { thread_ts: ts });
    const tab = await stage.open();
    const line = tab.message(title).locator("[data-test=open-thread]");
    assert.match(await line.innerText(), /1 reply/);
    await line.click();
    await tab.page.waitForURL(new RegExp(`#C0DEPLOYS/${ts}$`));
    const thread = tab.test("thread-messages");
    await thread.getByText(`${title} detail`).waitFor();
    assert.equal(await tab.page.evaluate(() => document.activeElement.dataset.test), "thread-composer");
    const word = unique("reply");
    await tab.says(word, "thread-composer");
    await thread.getByText(word).waitFor();
    assert.equal(await tab.test("messages").getByText(word).count(), 0, "a reply stays in its thread");
    const before = stage.app.received.length;
    await tab.says("/deploy approve mainnet", "thread-composer");
    await thread.getByText("/deploy is not supported in threads").waitFor();
    assert.equal(stage.app.received.slice(before).filter(({ kind }) => kind === "command").length, 0);
    await tab.page.reload();
    await thread.getByText(word).waitFor();
    await tab.test("thread-composer").focus();
    await tab.page.keyboard.press("Escape");
    await tab.page.waitForURL(/#C0DEPLOYS$/);
    await thread.waitFor({ state: "hidden" });
    await tab.page.goBack();
    await thread.getByText(word).waitFor();
    await tab.close();
  });

  test("what is not delivered is said where it was asked", async () => {
    const title = unique("undelivered");
    await stage.app.posts(title, [section(title), actions(button("lost", "Approve"))]);
    const tab = await stage.open();
    stage.app.status = 500;
    await tab.message(title).locator("[data-action=lost]").click();
    const error = tab.message(title).locator("[data-test=message-error]");
    await error.waitFor();
    assert.match(await error.innerText(), /dispatch_failed/);
    const word = unique("x").replaceAll(" ", "");
    await tab.says(`/deploy ${word}`);
    const note = tab.page.locator('[data-test=message][data-user=USLACKBOT]').last();
    await note.waitFor();
    assert.match(await note.innerText(), /Only visible to you[\s\S]*Slackbot[\s\S]*\/deploy/);
    stage.app.status = 200;
    await tab.says("/nosuchcommand now");
    await tab.page.getByText("/nosuchcommand").last().waitFor();
    tab.expected.push(/404/);
    await tab.close();
  });

  test("each person sees what is theirs", async () => {
    const tab = await stage.open({ as: "U0RITA" });
    const names = () => tab.test("channel").evaluateAll((rows) => rows.map((row) => row.dataset.value).filter((id) => id.startsWith("C")));
    assert.deepEqual(await names(), ["C0DEPLOYS", "C0GENERAL", "C0RANDOM"]);
    await tab.becomes("U0GUS");
    await tab.page.waitForFunction(() => document.querySelectorAll('[data-test="channel"][data-value^="C"]').length === 1);
    const word = unique("from a guest");
    await tab.says(word);
    assert.match(await tab.message(word).innerText(), /Gus Weber\s*Guest/);
    await tab.becomes("U0EVE");
    await tab.page.getByText("Eve Stone cannot see this").waitFor();
    assert.equal(await tab.test("composer").isDisabled(), true);
    assert.equal(await tab.page.getByText(word).count(), 0, "nothing of the channel is left on the screen");
    await tab.test("channel", "C0SHARED").click();
    await tab.says(unique("from outside"));
    assert.match(await tab.message("from outside").innerText(), /Eve Stone\s*External/);
    await tab.becomes("U0OLD");
    await tab.page.waitForFunction(() => document.querySelector('[data-test="composer"]').placeholder.includes("deactivated"));
    assert.equal(await tab.page.evaluate(() => new URLSearchParams(location.search).get("as")), "U0OLD");
    tab.expected.push(/403/);
    await tab.close();
  });

  test("a draft stays with its channel, and what came elsewhere is counted", async () => {
    const tab = await stage.open({ as: "U0CARLA", at: "C0GENERAL" });
    await tab.test("composer").fill("half a sentence");
    const badge = tab.test("channel", "C0DEPLOYS").locator("[data-test=unread]");
    await tab.test("channel", "C0DEPLOYS").click();
    const draft = (words) => tab.page.waitForFunction((words) => document.querySelector("[data-test=composer]").value === words, words);
    await draft("");
    await tab.test("messages").locator("article").first().waitFor();
    await tab.test("channel", "C0GENERAL").click();
    await draft("half a sentence");
    assert.equal(await badge.count(), 0);
    await stage.app.posts(unique("first"));
    await stage.app.posts(unique("second"));
    await badge.and(tab.page.getByText("unread: 2")).waitFor();
    await tab.test("channel", "C0DEPLOYS").click();
    await badge.waitFor({ state: "detached" });
    await tab.close();
  });

  test("new messages are announced to those who listen, one's own are not", async () => {
    const tab = await stage.open({ as: "U0DANA" });
    const word = unique("announced");
    const own = unique("own words");
    await tab.says(own);
    await tab.message(own).waitFor();
    await stage.app.posts(`*${word}* for <@U0DANA|dana>`);
    await tab.page.waitForFunction((text) => document.querySelector('[data-test="live"]').textContent.includes(text), word);
    const said = await tab.test("live").innerText();
    assert.match(said, /signalbox in deploys/);
    assert.ok(!said.includes(own));
    await tab.close();
  });
}
