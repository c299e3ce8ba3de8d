// Where one writes. Enter sends, Shift+Enter breaks the line, Up in an empty composer brings back what was sent, and a list offers
// commands, people, channels and emoji.

import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { complete } from "./completion.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { channelOf, channelsOf, deliveryError, notice, person, state } from "./state.js";
import { refresh } from "./sync.js";

const history = new Map();
const drafts = new Map();
let number = 0;

/** A composer. `thread` gives the thread's ts, or null in a channel; `onSent` hears that something went out. */
export class Composer {
  #offers = [];
  #active = 0;
  #dismissed = "";
  #back = 0;
  #place = "";

  constructor({ thread, onSent, test }) {
    number += 1;
    this.thread = thread;
    this.onSent = onSent;
    this.id = `composer-${number}`;
    this.input = h("textarea", {
      class: "composer-input", rows: 1, id: this.id, autocomplete: "off", spellcheck: "true", "aria-autocomplete": "list", role: "combobox",
      "aria-expanded": "false", "aria-controls": `${this.id}-list`, "aria-haspopup": "listbox", data: { test },
    });
    this.list = h("div", { class: "offers", role: "listbox", id: `${this.id}-list`, "aria-label": "Suggestions", hidden: true, data: { test: "offers" } });
    this.send = h("button", { class: "send", type: "submit", "aria-label": "Send now", title: "Send now", data: { test: `${test}-send` } }, icon("send"));
    this.hint = h("p", { class: "composer-hint", "aria-hidden": "true" });
    this.form = h("form", { class: "composer" }, this.list, h("div", { class: "composer-box" }, this.input, this.send), this.hint);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.input.addEventListener("input", () => this.#typed());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("click", () => this.#offer());
    this.input.addEventListener("blur", () => this.#close());
  }

  /** Follows the place: whose, where, and whether one may write there. A draft stays with its place. */
  draw() {
    const channel = channelOf(state.channel);
    const me = person(state.me);
    const place = `${state.me} ${state.channel} ${this.thread() ?? ""}`;
    if (place !== this.#place) {
      drafts.set(this.#place, this.input.value);
      this.#place = place;
      this.#set(drafts.get(place) ?? "");
      this.#back = 0;
    }
    const why = reasonNotToWrite(channel, me);
    const name = channel?.kind === "im" ? person(state.world?.slack.bot.user)?.real_name : `#${channel?.name ?? ""}`;
    const label = this.thread() ? "Reply in thread" : `Message ${name ?? ""}`;
    this.input.placeholder = why ?? (this.thread() ? "Reply…" : label);
    this.input.setAttribute("aria-label", label);
    this.input.disabled = Boolean(why);
    this.form.classList.toggle("off", Boolean(why));
    this.send.disabled = Boolean(why) || this.input.value.trim() === "";
  }

  /** Moves the caret here. */
  focus() {
    this.input.focus();
  }

  #set(text) {
    this.input.value = text;
    this.#grow();
    this.#close();
    this.send.disabled = text.trim() === "";
  }

  #typed() {
    this.#back = 0;
    this.#dismissed = "";
    this.#grow();
    this.send.disabled = this.input.value.trim() === "";
    this.#offer();
  }

  #grow() {
    this.input.style.height = "auto";
    // Where it is not shown yet it has no height to take over.
    if (this.input.offsetParent !== null) {
      this.input.style.height = `${this.input.scrollHeight}px`;
    }
    const text = this.input.value;
    fill(this.hint, text === "" ? "" : text.startsWith("/") ? "Enter runs the command" : "Shift + Enter for a new line");
  }

  #offer() {
    const { value, selectionStart: caret, selectionEnd } = this.input;
    const slack = state.world?.slack;
    if (!slack || caret !== selectionEnd || value === this.#dismissed) {
      this.#close();
      return;
    }
    const people = [...slack.people.filter((each) => !each.deleted), { ...slack.bot, id: slack.bot.user, real_name: slack.bot.name, role: "app" }];
    const channels = channelsOf(state.me).filter((each) => each.kind === "channel");
    this.#offers = complete(value, caret, { commands: state.commands, people, channels, groups: slack.groups });
    this.#active = 0;
    this.#drawOffers();
  }

  #drawOffers() {
    const open = this.#offers.length > 0;
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    fill(this.list, this.#offers.map((offer, at) => this.#row(offer, at)));
    if (open) {
      this.input.setAttribute("aria-activedescendant", `${this.id}-offer-${this.#active}`);
      this.list.children[this.#active]?.scrollIntoView({ block: "nearest" });
    } else {
      this.input.removeAttribute("aria-activedescendant");
    }
  }

  #row(offer, at) {
    const lead = { person: () => avatar(person(offer.id), "small"), emoji: () => h("span", { class: "offer-emoji" }, offer.character) }[offer.kind];
    const row = h(
      "div",
      { class: `offer ${offer.kind}`, role: "option", id: `${this.id}-offer-${at}`, "aria-selected": String(at === this.#active), data: { test: "offer", value: offer.id } },
      lead?.(),
      h("span", { class: "offer-label" }, offer.label),
      offer.detail && h("span", { class: "offer-detail" }, offer.detail),
      offer.summary && h("span", { class: "offer-summary" }, offer.summary),
    );
    // Pressing must not take the focus out of the text.
    row.addEventListener("pointerdown", (event) => event.preventDefault());
    row.addEventListener("click", () => this.#take(offer));
    return row;
  }

  #close() {
    this.#offers = [];
    this.#drawOffers();
  }

  #take(offer) {
    const text = this.input.value;
    this.input.value = text.slice(0, offer.from) + offer.insert + text.slice(offer.to);
    const caret = offer.from + offer.insert.length;
    this.input.setSelectionRange(caret, caret);
    this.input.focus();
    this.#typed();
  }

  #key(event) {
    if (event.isComposing) {
      return;
    }
    const open = this.#offers.length > 0;
    const offer = this.#offers[this.#active];
    const changes = open && this.input.value.slice(offer.from, offer.to).trimEnd() !== offer.insert.trimEnd();
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#active = (this.#active + step + this.#offers.length) % this.#offers.length;
      this.#drawOffers();
    } else if (open && (event.key === "Tab" || event.key === "Enter") && !event.shiftKey && changes) {
      this.#take(offer);
    } else if (open && event.key === "Escape") {
      this.#dismissed = this.input.value;
      this.#close();
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      this.#submit();
    } else if (event.key === "ArrowUp" && (this.input.value === "" || this.#back > 0)) {
      this.#recall(1);
    } else if (event.key === "ArrowDown" && this.#back > 0) {
      this.#recall(-1);
    } else {
      return;
    }
    event.preventDefault();
  }

  #recall(step) {
    const sent = history.get(state.me) ?? [];
    this.#back = Math.max(0, Math.min(sent.length, this.#back + step));
    this.#set(this.#back === 0 ? "" : sent[sent.length - this.#back]);
  }

  async #submit() {
    const text = this.input.value.trim();
    if (text === "" || this.input.disabled) {
      return;
    }
    const sent = history.get(state.me) ?? [];
    if (sent.at(-1) !== text) {
      history.set(state.me, [...sent, text].slice(-100));
    }
    this.#back = 0;
    this.#set("");
    const thread = this.thread();
    try {
      await deliver(text, thread);
    } catch (refusal) {
      notice(refusal.message, { thread });
      if (refusal.status === 0 && this.input.value === "") {
        this.#set(text);
      }
    }
    refresh("messages");
    this.onSent();
  }
}

async function deliver(text, thread) {
  const { me: user, channel } = state;
  if (!text.startsWith("/")) {
    await act("/slack/message", { user, channel, text, ...(thread ? { thread_ts: thread } : {}) });
    return;
  }
  const command = text.split(/\s/, 1)[0];
  if (thread) {
    notice(`${command} is not supported in threads. Sorry! Mention the app instead: @${state.world?.slack.bot.name} ${text.slice(command.length).trim()}`, { thread });
    return;
  }
  const answer = await act("/slack/command", { user, channel, text });
  // The sandbox says an undelivered command as Slackbot; only if it said nothing does this page.
  if (answer.error && !(answer.ephemerals?.length > 0)) {
    notice(deliveryError(answer.error, command), { thread });
  }
}

function reasonNotToWrite(channel, me) {
  if (!channel || !me) {
    return "There is nothing here";
  }
  if (me.deleted) {
    return `${me.real_name}'s account is deactivated`;
  }
  if (channel.is_archived) {
    return "This channel is archived";
  }
  const member = channel.kind === "im" ? channel.user === me.id : channel.members.includes(me.id);
  return member ? null : `${me.real_name} is not in this channel`;
}
