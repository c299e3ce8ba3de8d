// The middle: the open channel's title, its messages and its composer; and the thread at its right.

import { Composer } from "./composer.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { plainText } from "./inline.js";
import { go } from "./location.js";
import { localMessages, MessageList, withLocal } from "./messages.js";
import { closePanel } from "./panels.js";
import { channelOf, person, state } from "./state.js";

const title = h("h1", { class: "channel-title", tabindex: "-1" });
const topic = h("p", { class: "channel-topic" });
const people = h("span", { class: "channel-people" });
const list = h("div", { class: "messages", role: "log", "aria-live": "off", "aria-label": "Messages" });
const empty = h("div", { class: "empty", hidden: true });
const scroller = h("div", { class: "scroller", tabindex: "0", "aria-label": "Message history", role: "region", data: { test: "messages" } }, empty, list);
const jump = h("button", { class: "jump", type: "button", hidden: true, data: { test: "jump-to-newest" } }, icon("down"), "Newest");
const messages = new MessageList({ scroller, host: list });
const composer = new Composer({ thread: () => null, onSent: () => messages.toEnd(), test: "composer" });

/** The channel's parts: its bar, its messages, its composer. */
export function channelView() {
  jump.addEventListener("click", () => messages.toEnd());
  scroller.addEventListener("scroll", () => {
    jump.hidden = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 400;
  });
  composer.form.id = "composer";
  composer.input.dataset.first = "";
  return [
    h("div", { class: "channel-bar" }, h("div", { class: "channel-names" }, title, topic), people),
    h("div", { class: "scroll-area" }, scroller, jump),
    composer.form,
  ];
}

/** Puts the caret into the channel's composer. */
export function focusComposer() {
  composer.focus();
}

/** Draws the channel. */
export function drawChannel() {
  const channel = channelOf(state.channel);
  const direct = channel?.kind === "im";
  const bot = person(state.world.slack.bot.user);
  fill(title, direct ? bot.real_name : [icon("hash"), channel?.name ?? "unknown channel"]);
  fill(topic, plainText(channel?.topic ?? ""));
  const count = channel?.members?.length ?? 0;
  fill(people, direct || !channel ? "" : [icon("person"), h("span", { class: "visually-hidden" }, "Members: "), String(count)]);
  document.title = `${direct ? bot.real_name : `#${channel?.name ?? "?"}`} · ${state.world.slack.team.name} · Signalbox sandbox`;
  const { list: read, refusal } = state.messages;
  drawEmpty(channel, read, refusal);
  messages.draw(refusal ? localMessages(null) : withLocal(read ?? [], null), state.messages.key);
  composer.draw();
}

function drawEmpty(channel, read, refusal) {
  const nothing = read !== null && read.length === 0;
  empty.hidden = !nothing;
  if (!nothing) {
    return;
  }
  const me = person(state.me)?.real_name ?? state.me;
  if (refusal) {
    const back = h("button", { class: "button", type: "button", data: { test: "go-deploys" } }, "Go to #deploys");
    back.addEventListener("click", () => go({ channel: "C0DEPLOYS", thread: null }));
    fill(empty, h("h2", {}, `${me} cannot see this`), h("p", {}, refusal.message), state.channel !== "C0DEPLOYS" && back);
  } else {
    const waiting = channel?.id === "C0DEPLOYS" ? "A card appears here as soon as a pipeline waits for approval. Push a commit in the AWS panel, or type / to see what the bot understands." : "Nobody has said anything yet.";
    fill(empty, h("h2", {}, channel?.kind === "im" ? `This is between ${me} and the app` : `This is the beginning of #${channel?.name ?? ""}`), h("p", {}, waiting));
  }
}

const threadHost = h("div", { class: "messages" , role: "log", "aria-live": "off", "aria-label": "Thread" });
const threadScroller = h("div", { class: "scroller thread-scroller", tabindex: "0", role: "region", "aria-label": "Thread messages", data: { test: "thread-messages" } }, threadHost);
const threadNote = h("span", { class: "panel-note" });
const threadMessages = new MessageList({ scroller: threadScroller, host: threadHost, inThread: true });
const threadComposer = new Composer({ thread: () => state.thread, onSent: () => threadMessages.toEnd(), test: "thread-composer" });

/** The thread's parts. */
export function threadView() {
  const cross = h("button", { class: "icon-button", type: "button", "aria-label": "Close thread", data: { test: "close-thread" } }, icon("close"));
  cross.addEventListener("click", () => closePanel("thread"));
  threadComposer.input.dataset.first = "";
  return [h("div", { class: "panel-bar" }, h("h2", { class: "panel-title" }, "Thread", threadNote), cross), threadScroller, threadComposer.form];
}

/** Draws the thread, if one is open. */
export function drawThread() {
  if (!state.thread) {
    return;
  }
  const channel = channelOf(state.channel);
  threadNote.textContent = channel?.kind === "im" ? "" : `#${channel?.name ?? ""}`;
  const parent = (state.messages.list ?? []).find((each) => each.ts === state.thread);
  const replies = parent?.replies ?? [];
  const rows = withLocal(replies, state.thread);
  threadMessages.draw(parent ? [parent, ...rows] : rows, `${state.messages.key} ${state.thread}`);
  threadComposer.draw();
}

/** Puts the caret into the thread's composer. */
export function focusThread() {
  threadComposer.focus();
}
