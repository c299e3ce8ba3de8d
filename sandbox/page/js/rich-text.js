// Slack's rich_text: sections, lists, quotes and preformatted text of styled pieces.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { channelLink, date, emojiNode, groupMention, link, mention } from "./inline.js";
import { safeLink } from "./mrkdwn.js";

/** The parts of a rich_text block as nodes. */
export function richText(parts, reader) {
  return parts.map((part) => PARTS[part.type]?.(part, reader) ?? h("span", { class: "unknown-block" }, `[${part.type}]`));
}

const PARTS = {
  rich_text_section: (part, reader) => h("div", { class: "rich-section" }, pieces(part, reader)),
  rich_text_quote: (part, reader) => h("blockquote", { class: "quote" }, pieces(part, reader)),
  rich_text_preformatted: (part) => h("pre", { class: "pre" }, (part.elements ?? []).map((piece) => piece.text ?? piece.url ?? "").join("")),
  rich_text_list: (part, reader) =>
    h(
      part.style === "ordered" ? "ol" : "ul",
      { class: `rich-list indent-${Math.min(part.indent ?? 0, 8)}`, start: part.offset ? part.offset + 1 : null },
      (part.elements ?? []).map((item) => h("li", {}, pieces(item, reader))),
    ),
};

function pieces(part, reader) {
  return (part.elements ?? []).map((piece) => styled(piece, reader));
}

function styled(piece, reader) {
  const style = piece.style ?? {};
  let node = inner(piece, reader);
  for (const [name, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]]) {
    if (style[name]) {
      node = h(tag, { class: tag === "code" ? "code" : null }, node);
    }
  }
  return node;
}

function inner(piece, reader) {
  switch (piece.type) {
    case "text":
      return (piece.text ?? "").split("\n").flatMap((line, at) => (at === 0 ? [line] : [h("br"), line]));
    case "link":
      return safeLink(piece.url) ? link(piece.url, piece.text ?? piece.url) : (piece.text ?? piece.url ?? "");
    case "user":
      return mention(piece.user_id, undefined, reader);
    case "usergroup":
      return groupMention(piece.usergroup_id, undefined, reader);
    case "channel":
      return channelLink(piece.channel_id, undefined, reader);
    case "broadcast":
      return h("span", { class: "mention mention-me" }, `@${piece.range}`);
    case "emoji":
      return emoji(piece.name) ? emojiNode(emoji(piece.name), `:${piece.name}:`) : `:${piece.name}:`;
    case "date":
      return date({ seconds: piece.timestamp, template: piece.format ?? "{date_short}", link: safeLink(piece.url), fallback: piece.fallback ?? "" }, reader);
    case "color":
      return h("code", { class: "code" }, piece.value ?? "");
    default:
      return piece.text ?? "";
  }
}
