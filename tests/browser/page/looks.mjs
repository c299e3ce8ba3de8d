// What can be measured of how it looks: contrast in both themes, nothing that jumps, nothing that moves for those who asked for rest.

import assert from "node:assert/strict";
import { test } from "node:test";

import { actions, button, mrkdwn, plain, section, unique } from "./kit.mjs";

/** Texts whose contrast with what is behind them is below what WCAG asks for (4.5, or 3 for large type). */
function faint() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((at) => top[at] * top[3] + under[at] * (1 - top[3])).concat(1);
  const behind = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const color = rgba(getComputedStyle(each).backgroundColor);
      if (color[3] > 0) {
        layers.push(color);
      }
      if (color[3] === 1) {
        break;
      }
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
  };
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const found = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== "");
    const shown = text && element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.getClientRects().length > 0;
    if (!shown || element.closest(":disabled, .visually-hidden, .skip, .emoji, svg, option, [aria-disabled=true]") || element.tagName === "OPTION") {
      continue;
    }
    const style = getComputedStyle(element);
    const under = behind(element);
    const ink = over(rgba(style.color), under);
    const [high, low] = [light(ink), light(under)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const large = Number.parseFloat(style.fontSize) >= 24 || (Number.parseFloat(style.fontSize) >= 18.6 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) {
      found.add(`${element.tagName}.${element.className}: ${ratio.toFixed(2)}`);
    }
  }
  return [...found];
}

export function looks(stage) {
  for (const dark of [false, true]) {
    test(`every text can be read in the ${dark ? "dark" : "light"} theme`, async () => {
      const title = unique("contrast");
      const ts = await stage.app.posts(title, [
        { type: "header", text: plain(title) },
        section("*bold* `code` <https://x.example|link> <@U0ANN> <@U0BRUNO> <#C0GENERAL|general>\n> quote\n```pre```"),
        { type: "context", elements: [mrkdwn("context *strong* `code`")] },
        actions(button("c1", "Approve", { style: "primary" }), button("c2", "Reject", { style: "danger" }), button("c3", "Why?")),
      ]);
      await stage.app.posts("detail", undefined, { thread_ts: ts });
      const tab = await stage.open({ dark });
      await tab.test("toggle-drawer").click();
      await tab.test("break-fail-github").click();
      await tab.test("fault").first().waitFor();
      await tab.says("/deploy help");
      await tab.message("You said /deploy help").waitFor();
      await tab.opensThread(title);
      assert.deepEqual(await tab.page.evaluate(faint), []);
      await tab.test("composer").fill("/");
      await tab.test("offer").first().waitFor();
      assert.deepEqual(await tab.page.evaluate(faint), []);
      await tab.page.keyboard.press("Escape");
      await tab.test("user-switcher").click();
      assert.deepEqual(await tab.page.evaluate(faint), []);
      await tab.page.keyboard.press("Escape");
      await tab.test("fault-remove").first().click();
      await tab.close();
    });
  }

  test("the contrast check sees faint text", async () => {
    const tab = await stage.open();
    await tab.page.evaluate(() => {
      document.querySelector(".channel-topic").style.color = "#bbbbbb";
    });
    assert.equal((await tab.page.evaluate(faint)).length, 1);
    await tab.close();
  });

  test("the theme follows the system until one is chosen, and the choice is kept", async () => {
    const tab = await stage.open({ dark: true });
    const paper = () => tab.page.evaluate(() => getComputedStyle(document.getElementById("main")).backgroundColor);
    const dark = await paper();
    await tab.page.emulateMedia({ colorScheme: "light" });
    assert.notEqual(await paper(), dark);
    await tab.test("toggle-theme").click();
    assert.equal(await paper(), dark);
    await tab.page.reload();
    await tab.test("composer").waitFor();
    assert.equal(await paper(), dark);
    await tab.close();
  });

  test("nothing jumps while the page fills and a card is edited", async () => {
    const title = unique("steady");
    const blocks = (text) => [section(`${title} ${text}`), actions(button("s", "Approve"))];
    const ts = await stage.app.posts(title, blocks("one"));
    const tab = await stage.open();
    await tab.message(title).waitFor();
    await tab.page.evaluate(() => {
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          window.shift += entry.value;
        }
      }).observe({ type: "layout-shift", buffered: false });
    });
    await stage.app.call("chat.update", { channel: "C0DEPLOYS", ts, text: title, blocks: blocks("two") });
    await tab.message(`${title} two`).waitFor();
    await tab.test("composer").hover();
    assert.equal(await tab.page.evaluate(() => window.shift), 0);
    await tab.close();
  });

  test("nothing moves for those who asked for rest", async () => {
    const title = unique("rest");
    await stage.app.posts(title, [section(title), actions(button("r", "Approve"))]);
    const tab = await stage.open({ reduced: true });
    let release;
    stage.app.gate = new Promise((resolve) => {
      release = resolve;
    });
    await tab.message(title).locator("[data-action=r]").click();
    await tab.page.locator("[data-action=r][aria-busy=true]").last().waitFor();
    const moving = await tab.page.evaluate(() => document.getAnimations().filter((each) => (each.effect?.getComputedTiming().iterations ?? 1) === Infinity).length);
    release();
    stage.app.gate = null;
    assert.equal(moving, 0);
    await tab.page.waitForFunction(() => document.querySelectorAll("[aria-busy=true]").length === 0);
    await tab.close();
  });
}
