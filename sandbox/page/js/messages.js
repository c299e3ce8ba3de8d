// A list of messages: days, who speaks on, and staying where one reads. Used by the channel and by the thread.

import { h, reconcile } from "./dom.js";
import { messageRow } from "./message.js";
import { markPending } from "./pending.js";
import { reader, state } from "./state.js";
import * as time from "./time.js";

const GROUP_MS = 5 * 60_000;
/** How many messages are drawn; older ones are asked for by a button, so that a long history costs nothing. */
const WINDOW = 120;
const NEAR_END = 80;

/** A list of messages in `scroller` (what scrolls) and `host` (what holds the rows). */
export class MessageList {
  #shown = WINDOW;
  #place = "";
  #atEnd = true;

  constructor({ scroller, host, inThread = false }) {
    this.scroller = scroller;
    this.host = host;
    this.inThread = inThread;
    scroller.addEventListener("scroll", () => {
      this.#atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
    });
    // A card that grows, or a composer that does, must not push the newest line out of sight.
    new ResizeObserver(() => this.#keep()).observe(host);
    new ResizeObserver(() => this.#keep()).observe(scroller);
  }

  /** Draws the messages; `place` names whose list it is: another one begins at its end. */
  draw(messages, place) {
    if (place !== this.#place) {
      this.#place = place;
      this.#shown = WINDOW;
      this.#atEnd = true;
    }
    const eyes = reader();
    const hidden = Math.max(0, messages.length - this.#shown);
    const rows = this.#rows(messages.slice(hidden), eyes);
    if (hidden > 0) {
      rows.unshift({ key: "older", sign: String(hidden), build: () => this.#older(messages, place, hidden) });
    }
    const fromEnd = this.scroller.scrollHeight - this.scroller.scrollTop;
    reconcile(this.host, rows, { key: (row) => row.key, sign: (row) => row.sign, build: (row) => row.build() });
    markPending(this.host);
    if (this.#atEnd) {
      this.#keep();
    } else if (this.expanding) {
      this.scroller.scrollTop = this.scroller.scrollHeight - fromEnd;
    }
    this.expanding = false;
  }

  /** Goes to the newest message. */
  toEnd() {
    this.#atEnd = true;
    this.#keep();
  }

  #keep() {
    if (this.#atEnd) {
      this.scroller.scrollTop = this.scroller.scrollHeight;
    }
  }

  #older(messages, place, hidden) {
    const more = h("button", { class: "button older", type: "button", data: { test: "show-older" } }, `Show ${Math.min(hidden, WINDOW)} older messages`);
    more.addEventListener("click", () => {
      this.#shown += WINDOW;
      this.expanding = true;
      this.draw(messages, place);
    });
    return h("div", { class: "older-row" }, more);
  }

  #rows(messages, eyes) {
    const rows = [];
    let before = null;
    for (const message of messages) {
      const at = time.ofTs(message.ts);
      const day = time.day(at, eyes.tz);
      if (!this.inThread && (!before || time.day(time.ofTs(before.ts), eyes.tz) !== day)) {
        rows.push(dayRow(day, at, eyes));
        before = null;
      }
      const follows = before !== null && speaksOn(before, message, at);
      rows.push({
        key: message.ts + (message.ephemeral ? "e" : ""),
        sign: signOf(message, follows, eyes),
        build: () => messageRow(message, { reader: eyes, follows, inThread: this.inThread }),
      });
      // The first reply does not run on from its parent.
      before = this.inThread && rows.length === 1 ? null : message;
    }
    return rows;
  }
}

function speaksOn(before, message, at) {
  const same = (before.user ?? before.bot_id) === (message.user ?? message.bot_id);
  return same && !before.ephemeral && !message.ephemeral && !message.broadcast && at - time.ofTs(before.ts) < GROUP_MS;
}

function dayRow(day, at, eyes) {
  const name = time.dayName(at, eyes.tz, eyes.now());
  return {
    key: `day ${day}`,
    sign: name,
    build: () => h("div", { class: "day", role: "separator", "aria-label": name }, h("span", { class: "day-name" }, name)),
  };
}

/** What a message's picture depends on. People and groups are small and change rarely: they are taken whole. */
function signOf(message, follows, eyes) {
  const errors = state.notices.filter((each) => each.ts === message.ts && each.user === state.me).length;
  const whole = JSON.stringify(message);
  // "today" and "3 minutes ago" in a message grow old by themselves.
  const age = whole.includes("!date") || whole.includes('"date"') ? time.slackDate(eyes.now(), whole.includes("{ago}") ? "{date_num} {time}" : "{date_num}", eyes.tz, 0) : "";
  return [whole, follows, eyes.me, eyes.tz, errors, age, state.directory].join();
}

/** The lines that only this page shows, as messages of Slackbot. */
export function localMessages(thread) {
  return state.notices
    .filter((each) => each.ts === null && each.user === state.me && each.channel === state.channel && each.thread === thread)
    .map((each) => ({
      ts: `${(each.at / 1000).toFixed(3)}${String(each.id % 1000).padStart(3, "0")}`,
      user: "USLACKBOT",
      text: each.text,
      ephemeral: true,
      local: true,
    }));
}

/** Messages by time, with the page's own lines among them. */
export function withLocal(messages, thread) {
  const local = localMessages(thread);
  return local.length === 0 ? messages : [...messages, ...local].sort((a, b) => Number(a.ts) - Number(b.ts));
}
