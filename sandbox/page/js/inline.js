// From inline nodes to the document. Mentions, dates and groups are read through the person who is looking.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { messagePlace, parse } from "./mrkdwn.js";
import * as time from "./time.js";

/** A text object (`{type: "mrkdwn" | "plain_text", text}`) as nodes. */
export function textObject(object, reader) {
  if (!object) {
    return [];
  }
  if (object.type === "mrkdwn") {
    return mrkdwn(object.text ?? "", reader);
  }
  return plainText(object.text ?? "", object.emoji !== false);
}

/** A plain text with its line breaks and, when asked for, its emoji codes. */
export function plainText(text, withEmoji = true) {
  return text.split("\n").flatMap((line, at) => [at > 0 && h("br"), ...(withEmoji ? emojiText(line) : [line])]).filter(Boolean);
}

function emojiText(line) {
  return line.split(/(:[a-z0-9_+'-]+:)/).map((part) => {
    const character = /^:.+:$/.test(part) ? emoji(part.slice(1, -1)) : undefined;
    return character ? emojiNode(character, part) : part;
  });
}

/** An emoji that reads out its code. */
export function emojiNode(character, written) {
  return h("span", { class: "emoji", role: "img", "aria-label": written.replace(/[:_]/g, " ").trim(), title: written }, character);
}

/** A mrkdwn text as nodes. */
export function mrkdwn(text, reader) {
  return parse(text).map((block) => {
    if (block.kind === "pre") {
      return h("pre", { class: "pre" }, block.text);
    }
    const children = nodes(block.children, reader);
    return block.kind === "quote" ? h("blockquote", { class: "quote" }, children) : h("span", { class: "lines" }, children);
  });
}

function nodes(list, reader) {
  return list.map((node) => RENDER[node.kind](node, reader));
}

const RENDER = {
  text: ({ text }) => text,
  break: () => h("br"),
  bold: ({ children }, reader) => h("strong", {}, nodes(children, reader)),
  italic: ({ children }, reader) => h("em", {}, nodes(children, reader)),
  strike: ({ children }, reader) => h("s", {}, nodes(children, reader)),
  code: ({ text }) => h("code", { class: "code" }, text),
  emoji: ({ code, written }) => {
    const character = emoji(code);
    return character ? emojiNode(character, written) : written;
  },
  link: ({ url, label }) => link(url, label ?? url.replace(/^mailto:/, "")),
  user: ({ id, label }, reader) => mention(id, label, reader),
  channel: ({ id, label }, reader) => channelLink(id, label, reader),
  group: ({ id, label }, reader) => groupMention(id, label, reader),
  broadcast: ({ name }) => h("span", { class: "mention mention-me" }, `@${name}`),
  date: (node, reader) => date(node, reader),
};

/** A link that opens beside the page; one to a message of this workspace opens it here. */
export function link(url, ...label) {
  const here = messagePlace(url);
  if (here) {
    return h("a", { class: "link", href: `#${here.channel}/${here.thread}`, data: { test: "message-link" } }, label);
  }
  return h("a", { class: "link", href: url, target: "_blank", rel: "noreferrer noopener" }, label);
}

/** `@Name`, lit up when it is the reader. */
export function mention(id, label, reader) {
  const user = reader.user(id);
  const name = user?.name ?? label?.replace(/^@/, "") ?? id;
  return h("span", { class: id === reader.me ? "mention mention-me" : "mention", title: user?.title, data: { test: "mention", user: id } }, `@${name}`);
}

/** `#name`, which goes there. */
export function channelLink(id, label, reader) {
  const name = reader.channel(id)?.name ?? label?.replace(/^#/, "") ?? id;
  return h("a", { class: "mention", href: `#${id}`, data: { test: "channel-mention" } }, `#${name}`);
}

/** `@group`, lit up for its members. */
export function groupMention(id, label, reader) {
  const group = reader.group(id);
  const handle = group?.handle ?? label?.replace(/^@/, "") ?? id;
  const mine = group?.users?.includes(reader.me);
  return h("span", { class: mine ? "mention mention-me" : "mention", title: group?.name }, `@${handle}`);
}

/** A date in the reader's zone, with the whole of it on hover. */
export function date({ seconds, template, link: url, fallback }, reader) {
  if (!Number.isFinite(seconds)) {
    return fallback;
  }
  const ms = seconds * 1000;
  const shown = h("time", { datetime: new Date(ms).toISOString(), title: time.full(ms, reader.tz) }, time.slackDate(ms, template, reader.tz, reader.now()));
  return url ? link(url, shown) : shown;
}
