// Telling people who do not see the page what has just been said: one polite live region.

import { plain } from "./mrkdwn.js";
import { authorOf } from "./message.js";
import { channelOf, state } from "./state.js";

let place = "";
let newest = 0;

/** Announces the messages that came since the last call, unless the person has just come here. */
export function announce(region) {
  const { key, list } = state.messages;
  if (list === null) {
    return;
  }
  const all = list.flatMap((message) => [message, ...(message.replies ?? [])]);
  const last = Math.max(0, ...all.map((message) => Number(message.ts)));
  if (key === place) {
    const fresh = all.filter((message) => Number(message.ts) > newest && message.user !== state.me);
    if (fresh.length > 0) {
      const name = channelOf(state.channel)?.name;
      region.textContent = fresh.slice(-3).map((message) => `${authorOf(message).real_name}${name ? ` in ${name}` : ""}: ${plain(message.text ?? "")}`).join(". ");
    }
  }
  newest = key === place ? Math.max(newest, last) : last;
  place = key;
}
