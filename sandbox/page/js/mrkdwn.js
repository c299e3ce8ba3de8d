// Slack's mrkdwn, in two halves: `parse` makes a tree of plain objects, `inline.js` makes nodes of it. Parsing knows no document, so that
// tests need no browser.

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

/** Undoes Slack's three escapes. */
export function unescape(text) {
  return text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);
}

/**
 * The tree of a text: blocks `{kind: "pre", text}`, `{kind: "quote", children}` and `{kind: "lines", children}`, which hold inline nodes
 * (`text`, `break`, `bold`, `italic`, `strike`, `code`, `link`, `user`, `channel`, `group`, `broadcast`, `date`, `emoji`).
 */
export function parse(text) {
  const blocks = [];
  const fence = /```([\s\S]*?)```/g;
  let from = 0;
  for (let match = fence.exec(text); match; match = fence.exec(text)) {
    if (match[1].trim() !== "") {
      blocks.push(...quotes(text.slice(from, match.index).replace(/\n$/, "")));
      blocks.push({ kind: "pre", text: plain(match[1].replace(/^\n|\n$/g, "")) });
      from = match.index + match[0].length;
      if (text[from] === "\n") {
        from += 1;
      }
    }
  }
  blocks.push(...quotes(text.slice(from)));
  return blocks;
}

/** What a text says without its markup: for code, labels and notifications. */
export function plain(text) {
  return unescape(text.replace(/<([^<>\n]+)>/g, (_, inside) => tokenText(inside)));
}

function tokenText(inside) {
  const bar = inside.indexOf("|");
  return bar === -1 ? inside : inside.slice(bar + 1);
}

function quotes(text) {
  if (text === "") {
    return [];
  }
  const blocks = [];
  for (const line of text.split("\n")) {
    const quoted = /^(?:&gt;|>)(?!&gt;) ?(.*)$/.exec(line);
    const kind = quoted ? "quote" : "lines";
    const body = quoted ? quoted[1] : line;
    const last = blocks.at(-1);
    if (last?.kind === kind) {
      last.lines.push(body);
    } else {
      blocks.push({ kind, lines: [body] });
    }
  }
  return blocks.map(({ kind, lines }) => ({ kind, children: joined(lines) }));
}

function joined(lines) {
  return lines.flatMap((line, at) => (at === 0 ? inline(line) : [{ kind: "break" }, ...inline(line)]));
}

const MARKS = { "*": "bold", _: "italic", "~": "strike" };
const WORD = /[\p{L}\p{N}]/u;

/** The inline nodes of one line. */
export function inline(line) {
  const nodes = [];
  let text = "";
  const flush = () => {
    if (text !== "") {
      nodes.push({ kind: "text", text: unescape(text) });
      text = "";
    }
  };
  for (let at = 0; at < line.length; ) {
    const found = nodeAt(line, at);
    if (found) {
      flush();
      nodes.push(found.node);
      at = found.end;
    } else {
      text += line[at];
      at += 1;
    }
  }
  flush();
  return nodes;
}

function nodeAt(line, at) {
  const character = line[at];
  if (character === "<") {
    return tokenAt(line, at);
  }
  if (character === "`") {
    const end = line.indexOf("`", at + 1);
    return end > at + 1 ? { node: { kind: "code", text: plain(line.slice(at + 1, end)) }, end: end + 1 } : undefined;
  }
  if (character === ":") {
    const code = /^:([a-z0-9_+'-]+):(?::skin-tone-[2-6]:)?/.exec(line.slice(at));
    return code ? { node: { kind: "emoji", code: code[1], written: code[0] }, end: at + code[0].length } : undefined;
  }
  return MARKS[character] ? markedAt(line, at) : undefined;
}

function tokenAt(line, at) {
  const end = line.indexOf(">", at);
  if (end <= at + 1) {
    return undefined;
  }
  const node = token(line.slice(at + 1, end));
  return node && { node, end: end + 1 };
}

function token(inside) {
  const bar = inside.indexOf("|");
  const target = bar === -1 ? inside : inside.slice(0, bar);
  const label = bar === -1 ? undefined : unescape(inside.slice(bar + 1));
  if (/^@[UW]/.test(target)) {
    return { kind: "user", id: target.slice(1), label };
  }
  if (/^#[CGD]/.test(target)) {
    return { kind: "channel", id: target.slice(1), label };
  }
  if (target.startsWith("!subteam^")) {
    return { kind: "group", id: target.slice("!subteam^".length), label };
  }
  if (target.startsWith("!date^")) {
    const [seconds, template, link] = target.slice("!date^".length).split("^");
    return { kind: "date", seconds: Number(seconds), template: unescape(template ?? ""), link: link && safeLink(unescape(link)), fallback: label ?? "" };
  }
  const broadcast = /^!(here|channel|everyone)$/.exec(target);
  if (broadcast) {
    return { kind: "broadcast", name: broadcast[1] };
  }
  const url = safeLink(unescape(target));
  return url ? { kind: "link", url, label } : undefined;
}

/** The address if it is one that a page may follow, else `undefined`: a `javascript:` link in a message stays text. */
export function safeLink(url) {
  return typeof url === "string" && /^(?:https?:\/\/|mailto:)/i.test(url) ? url : undefined;
}

/** Where a permalink or a redirect of Slack leads: `{channel, thread}`, or `undefined` for any other address. */
export function messagePlace(url) {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/(^|\.)slack\.com$/.test(parsed.hostname)) {
    return undefined;
  }
  const archive = /^\/archives\/([CDG][A-Z0-9]+)\/p(\d+)(\d{6})$/.exec(parsed.pathname);
  const query = parsed.searchParams;
  const channel = archive?.[1] ?? (parsed.pathname === "/app_redirect" ? query.get("channel") : null);
  const ts = archive ? `${archive[2]}.${archive[3]}` : query.get("message_ts");
  const thread = query.get("thread_ts") ?? ts;
  return /^[CDG][A-Z0-9]+$/.test(channel ?? "") && /^\d+\.\d+$/.test(thread ?? "") ? { channel, thread } : undefined;
}

function markedAt(line, at) {
  const mark = line[at];
  const before = line[at - 1];
  const next = line[at + 1];
  if ((before && (WORD.test(before) || before === mark)) || !next || /\s/.test(next) || next === mark) {
    return undefined;
  }
  for (let end = at + 1; end < line.length; end += 1) {
    const skipped = skip(line, end);
    if (skipped > end) {
      end = skipped - 1;
    } else if (line[end] === mark && !/\s/.test(line[end - 1]) && !(line[end + 1] && WORD.test(line[end + 1]))) {
      return { node: { kind: MARKS[mark], children: inline(line.slice(at + 1, end)) }, end: end + 1 };
    }
  }
  return undefined;
}

/** Code and tokens are crossed whole: a mark inside them closes nothing. */
function skip(line, at) {
  const close = { "`": "`", "<": ">" }[line[at]];
  const end = close ? line.indexOf(close, at + 1) : -1;
  return end === -1 ? at : end + 1;
}
