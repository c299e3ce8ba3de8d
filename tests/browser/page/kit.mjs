// Block Kit in few words, for the tests.

export const plain = (text) => ({ type: "plain_text", text });
export const mrkdwn = (text) => ({ type: "mrkdwn", text });
export const section = (text, more = {}) => ({ type: "section", text: mrkdwn(text), ...more });
export const actions = (...elements) => ({ type: "actions", elements });
export const button = (id, text, more = {}) => ({ type: "button", action_id: id, text: plain(text), value: `${id}-1`, ...more });
export const option = (value, text = value) => ({ text: plain(text), value });
export const input = (block_id, label, element, more = {}) => ({ type: "input", block_id, label: plain(label), element, ...more });
export const modal = (callback_id, title, blocks, more = {}) => ({ type: "modal", callback_id, title: plain(title), submit: plain("Send"), blocks, ...more });

let number = 0;

/** A text that no other message has. */
export function unique(text) {
  number += 1;
  return `${text} ${process.pid}-${number}`;
}
