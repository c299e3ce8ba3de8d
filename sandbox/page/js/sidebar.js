// The workspace at the left: channels, direct messages, and through whose eyes one looks.

import { avatar } from "./avatar.js";
import { h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { addressOf, go } from "./location.js";
import { menu } from "./menu.js";
import { closePanel } from "./panels.js";
import { channelsOf, person, state } from "./state.js";
import { markRead, unread } from "./unread.js";

const channelsHost = h("ul", { class: "side-list", "aria-labelledby": "side-channels" });
const directHost = h("ul", { class: "side-list", "aria-labelledby": "side-direct" });
const teamName = h("span", { class: "team-name" });
const teamNote = h("span", { class: "team-note" });
const switcherHost = h("div", { class: "switcher-host" });

/** The sidebar's contents. */
export function sidebar() {
  return [
    h("div", { class: "side-head" }, h("span", { class: "team-mark", "aria-hidden": "true" }), h("span", { class: "team" }, teamName, teamNote)),
    h(
      "nav",
      { class: "side-nav", "aria-label": "Channels and direct messages" },
      h("h2", { class: "side-title", id: "side-channels" }, "Channels"),
      channelsHost,
      h("h2", { class: "side-title", id: "side-direct" }, "Direct messages"),
      directHost,
    ),
    switcherHost,
  ];
}

/** Draws the sidebar. */
export function drawSidebar() {
  const slack = state.world.slack;
  teamName.textContent = slack.team.name;
  teamNote.textContent = `${slack.team.domain} · sandbox`;
  const mine = channelsOf(state.me);
  const open = mine.find((each) => each.id === state.channel);
  if (open && document.visibilityState === "visible") {
    markRead(open);
  }
  const rows = { key: (each) => each.id, sign: (each) => JSON.stringify([each.name, each.kind, each.is_ext_shared, each.is_archived, unread(each), each.id === state.channel, state.me]), build: channelRow };
  reconcile(channelsHost, mine.filter((each) => each.kind === "channel"), rows);
  reconcile(directHost, mine.filter((each) => each.kind === "im"), rows);
  directHost.classList.toggle("nobody", directHost.childElementCount === 0);
  const me = person(state.me);
  reconcile(switcherHost, me ? [me] : [], { key: () => "me", sign: JSON.stringify, build: switcher });
}

function channelRow(channel) {
  const count = channel.id === state.channel ? 0 : unread(channel);
  const current = channel.id === state.channel;
  const bot = state.world.slack.bot;
  const direct = channel.kind === "im";
  const link = h(
    "a",
    {
      class: `side-row${current ? " current" : ""}${count > 0 ? " unread" : ""}`,
      href: addressOf({ channel: channel.id }),
      "aria-current": current ? "page" : null,
      data: { test: "channel", value: channel.id },
    },
    direct ? avatar(person(bot.user), "tiny") : icon("hash"),
    h("span", { class: "side-name" }, direct ? bot.name : channel.name),
    direct && h("span", { class: "side-note" }, "app"),
    channel.is_ext_shared && h("span", { class: "side-note", title: "Shared with another workspace" }, "shared"),
    count > 0 && h("span", { class: "badge-count", data: { test: "unread" } }, h("span", { class: "visually-hidden" }, "unread: "), String(count)),
  );
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    closePanel("side");
    go({ channel: channel.id, thread: null });
  });
  return h("li", {}, link);
}

function switcher(me) {
  const opener = h(
    "button",
    { class: "switcher", type: "button", "aria-label": `You are ${me.real_name}, ${me.role}. Look through someone else's eyes`, data: { test: "user-switcher" } },
    avatar(me),
    h("span", { class: "who" }, h("span", { class: "who-name" }, me.real_name), h("span", { class: "who-role" }, me.role || me.title)),
    icon("chevron"),
  );
  menu(
    opener,
    () =>
      state.world.slack.people.map((each) => ({
        label: [each.real_name, ...flags(each)],
        note: [each.role, zoneNote(each)].filter(Boolean).join(" · "),
        lead: avatar(each),
        test: "switch-to",
        value: each.id,
        checked: each.id === state.me,
        choose: () => {
          closePanel("side");
          go({ me: each.id });
        },
      })),
    { label: "Look through the eyes of", kind: "people-menu" },
  );
  return h("div", {}, opener);
}

function flags(who) {
  return [
    who.is_restricted && h("span", { class: "badge" }, "Guest"),
    who.is_stranger && h("span", { class: "badge" }, "External"),
    who.deleted && h("span", { class: "badge" }, "Deactivated"),
  ];
}

function zoneNote(who) {
  return (who.tz ?? "").split("/").pop().replaceAll("_", " ");
}
