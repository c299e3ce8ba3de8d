// One message: face, name, time, text or blocks, the thread below it, and what one can do with it.

import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { blocks } from "./blocks.js";
import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { icon } from "./icons.js";
import { mrkdwn, emojiNode } from "./inline.js";
import { addressOf, go } from "./location.js";
import { whileBusy } from "./pending.js";
import { deliveryError, notice, person, state } from "./state.js";
import * as time from "./time.js";
import { valuesOf } from "./values.js";

/** The author of a message: from the directory, else from what the message says of them. */
export function authorOf(message) {
  return (
    person(message.user) ?? person(message.bot_id) ?? {
      id: message.user,
      real_name: message.who?.real_name ?? message.user,
      initials: message.who?.initials ?? "?",
      color: message.who?.color,
      bot: Boolean(message.bot_id),
    }
  );
}

/**
 * A message as an element. `follows` leaves out the face and the name: the author has just spoken. `inThread` says that it stands in the
 * thread pane, where it offers no thread of its own.
 */
export function messageRow(message, { reader, follows, inThread }) {
  const who = authorOf(message);
  const at = time.ofTs(message.ts);
  const classes = ["message", follows && "follows", message.ephemeral && "ephemeral", message.local && "local"].filter(Boolean).join(" ");
  const place = `${state.channel} ${message.ts}`;
  const drawn = message.blocks?.length > 0;
  return h(
    "article",
    {
      class: classes,
      "aria-label": `${who.real_name}, ${time.clock(at, reader.tz)}`,
      data: { test: "message", ts: message.ts, user: message.user, ephemeral: message.ephemeral ? "true" : null, place },
    },
    message.ephemeral && h("p", { class: "only-you", data: { test: "only-you" } }, icon("eye"), "Only visible to you"),
    message.broadcast && !inThread && broadcastLine(message),
    h("div", { class: "gutter" }, follows ? stamp(at, reader, "gutter-time") : avatar(who)),
    h(
      "div",
      { class: "message-main" },
      !follows && h("div", { class: "byline" }, nameOf(who), stamp(at, reader, "stamp"), drawn && editedNote(message, reader)),
      body(message, { reader, place, edited: !(drawn && !follows) && editedNote(message, reader) }),
      message.reactions?.length > 0 && reactions(message.reactions, reader),
      errorsOf(message),
      !inThread && message.reply_count > 0 && threadLine(message, reader),
    ),
    !message.ephemeral && tools(message, inThread),
  );
}

function nameOf(who) {
  return [
    h("span", { class: "author", data: { test: "author" } }, who.real_name || who.name),
    who.bot && who.id !== "USLACKBOT" && h("span", { class: "badge app-badge" }, "APP"),
    who.is_restricted && h("span", { class: "badge" }, "Guest"),
    who.is_stranger && h("span", { class: "badge" }, "External"),
  ];
}

function stamp(at, reader, name) {
  return h("time", { class: name, datetime: new Date(at).toISOString(), title: time.full(at, reader.tz) }, time.clock(at, reader.tz));
}

function broadcastLine(message) {
  return h("p", { class: "broadcast" }, icon("thread"), h("a", { href: addressOf({ thread: message.thread_ts }) }, "replied to a thread"));
}

/** Beside the name of a message of blocks: the first edit of a card must not make it grow. */
function editedNote(message, reader) {
  return message.edited && h("span", { class: "edited", title: time.full(time.ofTs(message.edited.ts), reader.tz) }, "(edited)");
}

function body(message, { reader, place, edited }) {
  const drawn =
    message.blocks?.length > 0
      ? [blocks(message.blocks, blockPlace(message, { reader, place })), edited]
      : h("div", { class: "text", data: { test: "message-text" } }, mrkdwn(message.text ?? "", reader), edited && [" ", edited]);
  return [drawn, (message.attachments ?? []).map((attachment) => attached(attachment, message, { reader, place }))];
}

function attached(attachment, message, { reader, place }) {
  const color = /^#?[0-9a-f]{6}$/i.test(attachment.color ?? "") ? `#${attachment.color.replace("#", "")}` : null;
  return h(
    "div",
    { class: "attachment", style: color ? { "--stripe": color } : {} },
    attachment.blocks ? blocks(attachment.blocks, blockPlace(message, { reader, place })) : mrkdwn(attachment.text ?? attachment.fallback ?? "", reader),
  );
}

function blockPlace(message, { reader, place }) {
  return {
    id: `m${message.ts.replace(".", "-")}`,
    reader,
    inMessage: true,
    values: valuesOf(`message ${place} ${message.edited?.ts ?? ""}`),
    dispatch: (spec, block, value, origin) => click(message, { spec, block, value, origin }),
  };
}

/** A button or a choice in a message was operated. */
function click(message, { spec, block, value, origin }) {
  const { me: user, channel } = state;
  return whileBusy(origin, async () => {
    const what = spec.type === "button" ? `“${spec.text?.text ?? "The button"}”` : "Your choice";
    try {
      const answer = await act("/slack/click", { user, channel, ts: message.ts, action_id: spec.action_id, block_id: block.block_id, value });
      if (answer.error) {
        notice(deliveryError(answer.error, what), { ts: message.ts });
      }
    } catch (refusal) {
      notice(refusal.message, { ts: message.ts });
    }
  });
}

/** What went wrong with this message's controls for this person. */
function errorsOf(message) {
  const last = state.notices.filter((each) => each.ts === message.ts && each.user === state.me).at(-1);
  return (
    last &&
    h("p", { class: "message-error", role: "alert", data: { test: "message-error" } }, h("span", { class: "bang", "aria-hidden": "true" }, "!"), last.text)
  );
}

function reactions(list, reader) {
  return h(
    "div",
    { class: "reactions" },
    list.map((each) =>
      h(
        "span",
        { class: "reaction", title: each.users?.map((id) => reader.user(id)?.name ?? id).join(", "), data: { test: "reaction", value: each.name } },
        emoji(each.name) ? emojiNode(emoji(each.name), `:${each.name}:`) : `:${each.name}:`,
        h("span", { class: "count" }, String(each.count ?? each.users?.length ?? 1)),
      ),
    ),
  );
}

function threadLine(message, reader) {
  const replies = message.replies ?? [];
  const faces = [...new Map(replies.map((reply) => [reply.user ?? reply.bot_id, authorOf(reply)])).values()].slice(0, 4);
  const last = replies.at(-1);
  const count = message.reply_count;
  const open = h(
    "button",
    { class: "thread-line", type: "button", data: { test: "open-thread", ts: message.ts } },
    h("span", { class: "faces" }, faces.map((who) => avatar(who, "small"))),
    h("span", { class: "thread-count" }, `${count} ${count === 1 ? "reply" : "replies"}`),
    last && h("span", { class: "thread-last" }, `Last reply ${lastReply(time.ofTs(last.ts), reader)}`),
    h("span", { class: "thread-go" }, icon("right")),
  );
  open.addEventListener("click", () => go({ thread: message.ts }));
  return open;
}

function lastReply(at, reader) {
  const day = time.dayName(at, reader.tz, reader.now());
  return day === "Today" ? `today at ${time.clock(at, reader.tz)}` : `${day === "Yesterday" ? "yesterday" : day} at ${time.clock(at, reader.tz)}`;
}

function tools(message, inThread) {
  const buttons = [];
  if (!inThread) {
    const reply = tool("Reply in thread", "thread", "reply-in-thread");
    reply.addEventListener("click", () => go({ thread: message.thread_ts ?? message.ts }));
    buttons.push(reply);
  }
  const copy = tool("Copy link to message", "link", "copy-link");
  copy.addEventListener("click", async () => {
    const link = new URL(addressOf({ thread: message.thread_ts ?? message.ts }), location.href).href;
    await navigator.clipboard?.writeText(link).catch(() => undefined);
    copy.classList.add("done");
    setTimeout(() => copy.classList.remove("done"), 1200);
  });
  buttons.push(copy);
  return h("div", { class: "message-tools" }, buttons);
}

function tool(label, name, test) {
  return h("button", { class: "icon-button", type: "button", "aria-label": label, title: label, data: { test } }, icon(name));
}
