// The drawer at the bottom: what to break, beside what went over the wire and what the bot wrote down. On a narrow window they are three tabs.

import { breaksView, drawBreaks } from "./breaks.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { drawJournal, journalView } from "./journal.js";
import { closePanel } from "./panels.js";
import { drawWire, wireView } from "./wire.js";

const TABS = [["breaks", "Break"], ["wire", "Wire"], ["journal", "Journal"]];

/** The drawer's contents. */
export function drawerView() {
  const cross = h("button", { class: "icon-button", type: "button", "aria-label": "Close the drawer", data: { test: "close-drawer" } }, icon("close"));
  cross.addEventListener("click", () => closePanel("drawer"));
  const body = h("div", { class: "drawer-body" }, breaksView(), wireView(), journalView());
  const tabs = TABS.map(([name, label]) => h("button", { class: "tab", type: "button", data: { test: "drawer-tab", value: name } }, label));
  const choose = (name) => {
    body.dataset.tab = name;
    for (const tab of tabs) {
      tab.setAttribute("aria-pressed", String(tab.dataset.value === name));
    }
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab.dataset.value));
  }
  choose("breaks");
  return [
    h("div", { class: "panel-bar" },
      h("h2", { class: "panel-title" }, "Break something"),
      h("span", { class: "panel-note" }, "and watch it happen exactly once"),
      h("div", { class: "tabs", role: "group", "aria-label": "Shown in the drawer" }, tabs),
      cross),
    body,
  ];
}

/** Draws the drawer. */
export function drawDrawer() {
  drawBreaks();
  drawWire();
  drawJournal();
}
