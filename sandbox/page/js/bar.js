// The bar at the top: what this is, the sandbox's time, and the doors to the panels.

import { h } from "./dom.js";
import { icon, mark } from "./icons.js";
import { togglePanel } from "./panels.js";
import { now, reader, state } from "./state.js";
import { isDark, toggleTheme } from "./theme.js";
import * as time from "./time.js";

const clockText = h("span", { class: "clock-text" });
const clock = h("span", { class: "clock", title: "The sandbox's time, in the reader's zone", data: { test: "clock" } }, icon("clock"), clockText);
const offline = h("span", { class: "offline", role: "status", hidden: true, data: { test: "offline" } }, "Reconnecting…");
const menuButton = barButton("Channels", "menu", "toggle-side", "side-toggle");
const awsButton = barButton("AWS account", "cloud", "toggle-aws");
const drawerButton = barButton("Break something", "bolt", "toggle-drawer");
const themeButton = barButton("", "moon", "toggle-theme", "icon-only");

function barButton(label, name, test, extra = "") {
  return h("button", { class: `bar-button ${extra}`, type: "button", "aria-label": label, data: { test } }, icon(name), h("span", { class: "bar-label" }, label), h("span", { class: "bar-count", hidden: true }));
}

/** The bar's contents. */
export function bar() {
  menuButton.addEventListener("click", () => togglePanel("side", menuButton));
  awsButton.addEventListener("click", () => togglePanel("aws", awsButton));
  drawerButton.addEventListener("click", () => togglePanel("drawer", drawerButton));
  themeButton.addEventListener("click", () => {
    toggleTheme();
    drawBar();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawBar());
  setInterval(tick, 1000);
  return [
    menuButton,
    h("span", { class: "product" }, mark(), h("span", { class: "product-name" }, "Signalbox"), h("span", { class: "product-kind" }, "sandbox")),
    offline,
    h("span", { class: "bar-space" }),
    clock,
    awsButton,
    drawerButton,
    themeButton,
  ];
}

function tick() {
  if (state.world) {
    clockText.textContent = time.barClock(now(), reader().tz);
  }
}

/** Draws the bar. */
export function drawBar() {
  tick();
  offline.hidden = state.connected;
  press(menuButton, state.panels.side);
  press(awsButton, state.panels.aws);
  press(drawerButton, state.panels.drawer);
  const dark = isDark();
  themeButton.setAttribute("aria-label", dark ? "Use the light theme" : "Use the dark theme");
  themeButton.title = themeButton.getAttribute("aria-label");
  themeButton.querySelector("svg").replaceWith(icon(dark ? "sun" : "moon"));
  const faults = state.world?.faults.length ?? 0;
  const count = drawerButton.querySelector(".bar-count");
  count.hidden = faults === 0;
  count.textContent = String(faults);
  drawerButton.setAttribute("aria-label", faults > 0 ? `Break something, ${faults} set` : "Break something");
}

function press(button, open) {
  if (button.getAttribute("aria-expanded") !== String(open)) {
    button.setAttribute("aria-expanded", String(open));
  }
}
