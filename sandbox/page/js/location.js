// Where one is: the channel and the thread in the hash, the person in `?as=`. A link to a channel or a thread can be kept and sent.

import { changed, state } from "./state.js";
import { openChannel } from "./sync.js";

/** Reads the address into the state: `?as=U0ANN#C0DEPLOYS/1795226400.000100`. */
export function readAddress() {
  const as = new URLSearchParams(location.search).get("as");
  const [channel, thread] = decodeURIComponent(location.hash.slice(1)).split("/");
  state.me = as && /^[UW][A-Z0-9]+$/.test(as) ? as : state.me;
  state.channel = /^[CDG][A-Z0-9]+$/.test(channel) ? channel : state.channel;
  state.thread = thread && /^\d+\.\d+$/.test(thread) ? thread : null;
}

/** The address of a place. */
export function addressOf({ me = state.me, channel = state.channel, thread = null }) {
  return `?as=${me}#${channel}${thread ? `/${thread}` : ""}`;
}

/** Goes to another channel, thread or person; what is not named stays. Leaving a channel closes its thread. */
export function go({ me = state.me, channel = state.channel, thread = channel === state.channel ? state.thread : null }) {
  const moved = me !== state.me || channel !== state.channel;
  if (!moved && thread === state.thread) {
    return;
  }
  Object.assign(state, { me, channel, thread });
  history.pushState(null, "", addressOf({ me, channel, thread }));
  if (moved) {
    openChannel();
  }
  changed();
}

/** Follows the browser's back and forward, and links to channels. */
export function followAddress() {
  const follow = () => {
    readAddress();
    openChannel();
    changed();
  };
  addEventListener("popstate", follow);
  addEventListener("hashchange", follow);
}
