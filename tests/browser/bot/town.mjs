// A demo and somebody who looks at it: what the stories are told with.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { control, demo, Tab } from "../harness.mjs";
import { small } from "../png.mjs";

/** The first card has to be there before anybody wonders whether it works, milliseconds. */
export const SOON = 10_000;
/** How long the demo's first run takes to its approval, and some, seconds. */
const BUILT = 5;
/** How long a card has to stand before it is approved without a revision, and some, seconds. */
export const SETTLED = 20;
/** How long nothing has to happen before time goes on, milliseconds, and how often it does. */
const LULL = 300;
const STRIDES = 60;

/** Tells a story: a demo of its own, a tab in it, and both are closed when it ends. `options` are the tab's, and the demo's `scenario`. */
export function story(stage, name, options, tell) {
  test(name, async () => {
    const town = await demo(options);
    let tab;
    try {
      tab = await Tab.open(stage.browser, town.url, options);
      await tell(new Town(tab));
      await tab.close();
      tab = undefined;
    } finally {
      await tab?.context.close();
      await town.stop();
    }
  });
}

/** Presses a button of a card, and says yes where it asks. */
export async function presses(town, card, action, { asks = false } = {}) {
  await card.locator(`[data-action="${action}"]`).first().click();
  if (asks) {
    await town.tab.test("confirm-ok").click();
    await town.tab.test("confirm").waitFor({ state: "detached" });
  }
}

/** What one does and sees in a demo. */
export class Town {
  constructor(tab) {
    this.tab = tab;
    this.page = tab.page;
  }

  /** Passes a JSON body to a control, or reads one. */
  control(path, body) {
    return control(this.tab.url, path, body);
  }

  /** The bot's cards: what it wrote to everybody. */
  get cards() {
    return this.tab.test("messages").locator('[data-test="message"]:not([data-ephemeral="true"])').filter({ hasText: " → " });
  }

  /** The card of the demo's first run, once it says something. */
  async card(text, timeout = SOON) {
    const card = this.cards.first();
    await this.page.waitForFunction(
      (wanted) => document.querySelector('[data-test="messages"] [data-test="message"]:not([data-ephemeral="true"])')?.innerText.includes(wanted),
      text,
      { timeout },
    );
    return card;
  }

  /** Waits for the first card and everything on it; the build before it is over at once. */
  async waits() {
    await this.passes(BUILT);
    return this.card("alarms quiet");
  }

  /** Lets time pass at once, seconds. */
  passes(seconds) {
    return this.control("/clock/jump", { seconds });
  }

  /** What only the person who looks sees, newest last, once it holds a text. */
  async whisper(text) {
    const found = this.tab.test("messages").locator('[data-test="message"][data-ephemeral="true"]').filter({ hasText: text }).last();
    await found.waitFor();
    return found;
  }

  /** Presses a button of the card, and says yes where it asks. */
  async presses(action, { asks = false } = {}) {
    await this.cards.first().locator(`[data-action="${action}"]`).click();
    if (asks) {
      await this.tab.test("confirm-ok").click();
      await this.tab.test("confirm").waitFor({ state: "detached" });
    }
  }

  /** Ann approves by text: one of two. */
  async annApproves() {
    await this.passes(SETTLED);
    await this.tab.says("/deploy approve mainnet");
    return this.card("Approved 1 of 2");
  }

  /** Ann by text, then Bruno by button: decided. */
  async bothApprove() {
    await this.annApproves();
    await this.tab.becomes("U0BRUNO");
    await this.presses("approve", { asks: true });
  }

  /** Opens the drawer with the faults and the logs. */
  async opensDrawer() {
    if (!(await this.page.locator("#drawer").isVisible())) {
      await this.tab.test("toggle-drawer").click();
    }
    await this.tab.test("fault-custom").waitFor();
  }

  /** The answers that CodePipeline has taken. */
  async answers() {
    const { aws } = await this.control("/state");
    return aws.approvals;
  }

  /** How often a call was carried out, by the drawer's own count. */
  async carriedOut(call) {
    const title = await this.tab.test("count", call).getAttribute("title");
    return Number(/carried out (\d+) times/.exec(title)[1]);
  }

  /** The journal's events, by reason. */
  async journal() {
    const { rows } = await this.control("/host/journal");
    return rows;
  }

  /** Waits until the journal has a row. */
  async journalSays(event, reason) {
    await this.page.waitForFunction(
      async ([wanted, why]) => (await (await fetch("/control/host/journal")).json()).rows.some((row) => row.event === wanted && (!why || row.reason === why)),
      [event, reason],
      { polling: 200 },
    );
  }

  /** The newest message to everybody that holds all of these words (or fits, where it is a pattern). */
  said(...words) {
    const all = this.tab.test("messages").locator('[data-test="message"]:not([data-ephemeral="true"])');
    return words.reduce((found, text) => found.filter({ hasText: text }), all).last();
  }

  /** Lets time pass in strides, seconds, until a message to everybody holds all of these words; returns it. */
  async inTime(stride, ...words) {
    const card = this.said(...words);
    for (let left = STRIDES; left > 0; left -= 1) {
      try {
        await card.waitFor({ timeout: LULL });
        return card;
      } catch (error) {
        if (error.name !== "TimeoutError") {
          throw error;
        }
        await this.passes(stride);
      }
    }
    const shown = await this.tab.test("messages").innerText();
    throw new Error(`no message with ${words.map((text) => `“${text}”`).join(", ")}; the channel shows:\n${shown.slice(-2000)}`);
  }

  /** Opens what the account has beside pipelines. */
  async opensResources() {
    if (!(await this.page.locator("#aws").isVisible())) {
      await this.tab.test("toggle-aws").click();
    }
    await this.tab.test("aws-tab", "resources").click();
    await this.tab.test("account").waitFor();
  }

  /** Answers the form that is open. */
  async fillsIn(words) {
    const modal = this.tab.test("modal");
    await modal.locator("textarea, input").first().fill(words);
    await this.tab.test("modal-submit").click();
    await modal.waitFor({ state: "detached" });
  }

  /** Keeps a picture of a card for the documentation, when pictures are wanted. */
  async pictures(name, card) {
    const folder = process.env.SIGNALBOX_PICTURES;
    if (folder) {
      const before = this.page.viewportSize();
      await this.page.setViewportSize({ width: 1340, height: 3400 });
      await this.page.mouse.move(0, 0);
      await this.page.evaluate(() => document.activeElement?.blur());
      writeFileSync(join(folder, `${name}.png`), small(await shot(card)));
      await this.page.setViewportSize(before);
    }
  }

  /** One card, from beginning to end, whatever happened. */
  async oneCard() {
    const roots = await this.cards.count();
    assert.equal(roots, 1, "one run has one card");
  }
}

/** A picture of a card. One that is drawn anew meanwhile is looked at again. */
export async function shot(card) {
  for (let tries = 1; ; tries++) {
    try {
      return await card.screenshot();
    } catch (error) {
      if (tries === 10 || !`${error}`.includes("not attached")) throw error;
    }
  }
}
