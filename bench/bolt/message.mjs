// Messages before they are drawn, in the form in which the bot stores a reply: words with a meaning, no markup.

export const text = (words) => ({ text: words });
export const bold = (words) => ({ bold: words });
export const code = (words) => ({ code: words });
export const mention = (user) => ({ mention: user });
export const sign = (name) => ({ sign: name });
export const link = (url, words) => ({ link: { url, text: words } });
export const permalink = (channel, ts, words) => ({ permalink: { channel, ts, text: words } });

// A line as it is read aloud: without signs.
function spoken(line) {
  const read = (piece) => {
    const [kind, value] = Object.entries(piece)[0];
    if (kind === "sign") return "";
    if (kind === "mention") return `@${value}`;
    return typeof value === "string" ? value : value.text;
  };
  return line.map(read).join("").trim();
}

// A message whose first line says it all.
export function headed(headline, more) {
  return { fallback: spoken(headline), blocks: [{ section: [headline, ...more] }] };
}

// The same with another part; one without content is left out.
export function plus(message, kind, lines) {
  return lines.length === 0 ? message : { ...message, blocks: [...message.blocks, { [kind]: lines }] };
}

// One plain sentence.
export function sentence(words) {
  return { fallback: words, blocks: [{ section: [[text(words)]] }] };
}

// Lines with a dot between them; those without words are left out.
export function joined(parts) {
  return parts.filter((part) => part.length > 0).flatMap((part, at) => (at > 0 ? [text(" · "), ...part] : part));
}
