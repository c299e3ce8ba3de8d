// Messages as Block Kit. Everything foreign is escaped, and what Slack would read as markup at the edge of a word gets a look-alike.
// The texts of the bench are short: nothing here has to be cut.

import { digest } from "./chain.mjs";

const SIGNS = { good: "✅", bad: "⛔", unknown: "❔", notice: "⚠️", waiting: "⏳", running: "▶️", locked: "🔒", frozen: "❄️", override: "🚨" };
const EDGES = { "*": "\u2217", _: "\u02cd", "~": "\u223c" };
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const INSIDE = /[\p{Alphabetic}\p{Number}]/u;

const escaped = (words) => words.replace(/[&<>]/g, (letter) => ENTITIES[letter]);

function tame(words) {
  const letters = [...words.replaceAll("\n", " ")];
  const inside = (at) => at >= 0 && at < letters.length && INSIDE.test(letters[at]);
  return letters
    .map((letter, at) => {
      if (letter === "`") return "\u02cb";
      if (letter === ">" && at === 0) return "\u203a";
      return letter in EDGES && !(inside(at - 1) && inside(at + 1)) ? EDGES[letter] : letter;
    })
    .join("");
}

function piece(inline) {
  const [kind, value] = Object.entries(inline)[0];
  switch (kind) {
    case "text":
      return escaped(tame(value));
    case "bold":
      return `*${escaped(tame(value).trim().replaceAll("*", "\u2217"))}*`;
    case "code":
      return `\`${escaped(value.replaceAll("`", "\u02cb").trim())}\``;
    case "mention":
      return `<@${value}>`;
    case "sign":
      return SIGNS[value];
    case "link":
      return `<${new URL(value.url).href.replaceAll("&", "&amp;")}|${escaped(tame(value.text))}>`;
    case "permalink":
      return `<https://slack.com/app_redirect?channel=${value.channel}&amp;message_ts=${value.ts}|${escaped(tame(value.text))}>`;
    default:
      throw new Error(`no markup for ${kind}`);
  }
}

function block(part, id) {
  const [kind, lines] = Object.entries(part)[0];
  const words = { type: "mrkdwn", text: lines.map((line) => line.map(piece).join("")).join("\n"), verbatim: true };
  return kind === "context" ? { type: "context", block_id: id, elements: [words] } : { type: "section", block_id: id, text: words };
}

// A reply for the speaker alone, or for everyone.
export function reply(message, isPublic) {
  const mark = digest(JSON.stringify(message)).slice(0, 12);
  const blocks = message.blocks.map((part, index) => block(part, `${mark}-${index}`));
  return { response_type: isPublic ? "in_channel" : "ephemeral", replace_original: false, text: escaped(tame(message.fallback)), blocks };
}
