// The page: joins its parts and draws them when something changed.

import { announce } from "./announce.js";
import { awsView, drawAws } from "./aws.js";
import { bar, drawBar } from "./bar.js";
import { channelView, drawChannel, drawThread, focusComposer, focusThread, threadView } from "./channel.js";
import { append, h } from "./dom.js";
import { drawDrawer, drawerView } from "./drawer.js";
import { followAddress, readAddress } from "./location.js";
import { drawModal } from "./modals.js";
import { drawPanels, panelKeys, registerPanel, restorePanels } from "./panels.js";
import { drawSidebar, sidebar } from "./sidebar.js";
import { onChange, state } from "./state.js";
import { listen, refresh, start } from "./sync.js";

const place = (id) => document.getElementById(id);

function build() {
  append(place("bar"), bar());
  append(place("side"), sidebar());
  append(place("main"), channelView());
  append(place("thread"), threadView());
  append(place("aws"), awsView());
  append(place("drawer"), drawerView());
  for (const name of ["side", "thread", "aws", "drawer"]) {
    registerPanel(name, place(name));
  }
}

let thread = null;

function draw() {
  if (!state.world) {
    return;
  }
  document.querySelector("#main > .boot")?.remove();
  drawBar();
  drawSidebar();
  drawChannel();
  drawThread();
  if (state.panels.aws) {
    drawAws();
  }
  if (state.panels.drawer) {
    drawDrawer();
  }
  drawPanels();
  drawModal();
  announce(place("live"));
  if (state.thread !== thread) {
    thread = state.thread;
    if (thread) {
      focusThread();
    }
  }
}

async function begin() {
  readAddress();
  restorePanels();
  build();
  onChange(draw);
  panelKeys();
  followAddress();
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    focusComposer();
  });
  document.addEventListener("visibilitychange", () => refresh("state"));
  try {
    await start();
  } catch (refusal) {
    append(place("main"), h("p", { class: "boot", role: "alert" }, refusal.message));
  }
  listen();
}

begin();
