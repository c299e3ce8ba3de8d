// The `markdown` block: the part of Markdown that Slack's block takes. It is parsed line by line into nodes; markup in it stays text.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { emojiNode, link } from "./inline.js";
import { safeLink } from "./mrkdwn.js";

/** A Markdown text as nodes. */
export function markdown(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const nodes = [];
  for (let at = 0; at < lines.length; ) {
    const [node, next] = blockAt(lines, at);
    if (node) {
      nodes.push(node);
    }
    at = next;
  }
  return nodes;
}

const LIST = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/;

function blockAt(lines, at) {
  const line = lines[at];
  if (line.trim() === "") {
    return [null, at + 1];
  }
  if (/^\s*```/.test(line)) {
    return fence(lines, at);
  }
  const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
  if (heading) {
    // Message text stands below the page's own headings.
    return [h(`h${Math.min(heading[1].length + 2, 6)}`, { class: `md-heading md-h${heading[1].length}` }, inline(heading[2])), at + 1];
  }
  if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
    return [h("hr", { class: "divider" }), at + 1];
  }
  if (/^\s*>/.test(line)) {
    const [body, next] = take(lines, at, (each) => /^\s*>/.test(each));
    return [h("blockquote", { class: "quote" }, markdown(body.map((each) => each.replace(/^\s*> ?/, "")).join("\n"))), next];
  }
  if (LIST.test(line)) {
    return list(lines, at);
  }
  if (line.includes("|") && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(lines[at + 1] ?? "")) {
    return table(lines, at);
  }
  const [body, next] = take(lines, at, (each, index) => index === at || (each.trim() !== "" && !startsBlock(each)));
  return [h("p", { class: "md-p" }, body.flatMap((each, index) => (index === 0 ? inline(each) : [h("br"), ...inline(each)]))), next];
}

function startsBlock(line) {
  return /^\s*(```|>|#{1,6}\s)/.test(line) || LIST.test(line);
}

function take(lines, from, wanted) {
  let to = from;
  while (to < lines.length && wanted(lines[to], to)) {
    to += 1;
  }
  return [lines.slice(from, to), Math.max(to, from + 1)];
}

function fence(lines, at) {
  const [body, next] = take(lines, at + 1, (line) => !/^\s*```/.test(line));
  return [h("pre", { class: "pre" }, body.join("\n")), body.length === 0 ? at + 2 : next + 1];
}

function list(lines, at) {
  const [, indent, bullet] = LIST.exec(lines[at]);
  const ordered = /\d/.test(bullet);
  const items = [];
  let next = at;
  while (next < lines.length) {
    const found = LIST.exec(lines[next]);
    if (!found || found[1].length < indent.length) {
      break;
    }
    if (found[1].length > indent.length) {
      const [nested, after] = list(lines, next);
      items.at(-1)?.append(nested);
      next = after;
    } else {
      items.push(item(found[3]));
      next += 1;
    }
  }
  return [h(ordered ? "ol" : "ul", { class: "rich-list", start: ordered ? Number.parseInt(bullet, 10) : null }, items), next];
}

function item(text) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(text);
  if (!task) {
    return h("li", {}, inline(text));
  }
  const done = task[1] !== " ";
  return h("li", { class: "task" }, h("span", { class: "task-box", role: "img", "aria-label": done ? "done" : "open" }, done ? "☑" : "☐"), " ", inline(task[2]));
}

function table(lines, at) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const [rows, next] = take(lines, at + 2, (line) => line.includes("|"));
  const row = (line, tag) => h("tr", {}, cells(line).map((cell) => h(tag, {}, inline(cell))));
  const made = h("table", { class: "table" }, h("thead", {}, row(lines[at], "th")), h("tbody", {}, rows.map((line) => row(line, "td"))));
  return [h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Table" }, made), rows.length === 0 ? at + 2 : next];
}

const INLINE = [
  [/^`([^`]+)`/, (m) => h("code", { class: "code" }, m[1])],
  [/^\*\*(?=\S)(.+?\S|\S)\*\*/, (m) => h("strong", {}, inline(m[1]))],
  [/^__(?=\S)(.+?\S|\S)__/, (m) => h("strong", {}, inline(m[1]))],
  [/^~~(?=\S)(.+?)~~/, (m) => h("s", {}, inline(m[1]))],
  [/^\*(?=[^\s*])(.+?)\*(?!\*)/, (m) => h("em", {}, inline(m[1]))],
  [/^_(?=[^\s_])(.+?)_(?![\p{L}\p{N}_])/u, (m) => h("em", {}, inline(m[1]))],
  [/^!?\[([^\]]*)\]\(([^)\s]+)\)/, (m) => (safeLink(m[2]) ? link(m[2], inline(m[1])) : m[0])],
  [/^<(https?:\/\/[^>\s]+)>/, (m) => link(m[1], m[1])],
  [/^https?:\/\/[^\s<>)]+[^\s<>).,;:!?]/, (m) => link(m[0], m[0])],
  [/^:([a-z0-9_+'-]+):/, (m) => (emoji(m[1]) ? emojiNode(emoji(m[1]), m[0]) : m[0])],
  [/^\\([\\`*_{}[\]()#+\-.!~|>])/, (m) => m[1]],
];

function inline(text) {
  const nodes = [];
  let pending = "";
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    // An underscore inside a word marks nothing: identifiers are full of them.
    const inWord = rest[0] === "_" && /[\p{L}\p{N}]$/u.test(pending);
    const [match, make] = inWord ? [] : firstMatch(rest);
    if (match) {
      nodes.push(pending, make(match));
      pending = "";
      at += match[0].length;
    } else {
      pending += text[at];
      at += 1;
    }
  }
  nodes.push(pending);
  return nodes.filter((node) => node !== "");
}

function firstMatch(rest) {
  for (const [pattern, make] of INLINE) {
    const match = pattern.exec(rest);
    if (match) {
      return [match, make];
    }
  }
  return [];
}
