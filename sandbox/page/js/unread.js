// What each person has read, kept in this browser: a badge is about a reader, not about the workspace.

import { state } from "./state.js";

const STORE = "signalbox-read";
const marks = load();

function load() {
  try {
    return JSON.parse(localStorage.getItem(STORE) ?? "{}");
  } catch {
    return {};
  }
}

/** How many messages of a channel a person has not seen. */
export function unread(channel, user = state.me) {
  const mark = marks[`${user} ${channel.id}`];
  if (!channel.last_ts || channel.message_count === 0 || (mark && Number(channel.last_ts) <= Number(mark.ts))) {
    return 0;
  }
  const more = channel.message_count - (mark?.count ?? 0);
  // Fewer messages than were read: the sandbox was started anew, so all of them are new.
  return more > 0 ? more : channel.message_count;
}

/** The person looks at the channel: everything in it is read. */
export function markRead(channel, user = state.me) {
  const key = `${user} ${channel.id}`;
  const mark = { ts: channel.last_ts ?? "0", count: channel.message_count };
  if (marks[key]?.ts === mark.ts && marks[key]?.count === mark.count) {
    return;
  }
  marks[key] = mark;
  try {
    localStorage.setItem(STORE, JSON.stringify(marks));
  } catch {
    // Without storage the marks live as long as the page.
  }
}
