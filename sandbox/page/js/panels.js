// Which panels are open. On a wide window they stand beside the messages; on a narrow one they cover them, one at a time, keep the focus
// inside and close on Escape.

import { firstFocusable } from "./dom.js";
import { go } from "./location.js";
import { changed, state } from "./state.js";
import { refresh } from "./sync.js";

const STORE = "signalbox-panels";
const COVERS = { side: "(max-width: 800px)", aws: "(max-width: 1000px)", drawer: "(max-width: 800px)", thread: "(max-width: 800px)" };
const openers = new Map();
const elements = new Map();

/** Names the element of a panel: `side`, `aws`, `drawer`, `thread`. */
export function registerPanel(name, element) {
  elements.set(name, element);
}

/** Whether a panel covers the messages at this width. */
export function covers(name) {
  return matchMedia(COVERS[name]).matches;
}

/** Opens what was open when the page was last left; on a narrow window nothing. */
export function restorePanels() {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(STORE) ?? '{"aws":true}');
  } catch {
    kept = {};
  }
  for (const name of ["aws", "drawer"]) {
    state.panels[name] = Boolean(kept[name]) && !covers(name);
  }
}

/** Whether a panel is open. */
export function isOpen(name) {
  return name === "thread" ? state.thread !== null : state.panels[name];
}

/** Opens or closes a panel; `opener` gets the focus back. */
export function togglePanel(name, opener) {
  if (isOpen(name)) {
    closePanel(name);
    return;
  }
  for (const other of ["side", "aws", "drawer"]) {
    if (other !== name && state.panels[other] && covers(other) && covers(name)) {
      state.panels[other] = false;
    }
  }
  state.panels[name] = true;
  openers.set(name, opener);
  keep();
  if (name === "drawer") {
    refresh("log", "journal");
  }
  changed();
  requestAnimationFrame(() => {
    if (covers(name)) {
      firstFocusable(elements.get(name))?.focus({ preventScroll: true });
    }
  });
}

/** Closes a panel and gives the focus back. */
export function closePanel(name) {
  if (!isOpen(name)) {
    return;
  }
  const had = elements.get(name)?.contains(document.activeElement);
  if (name === "thread") {
    go({ thread: null });
  } else {
    state.panels[name] = false;
    keep();
    changed();
  }
  if (had) {
    requestAnimationFrame(() => (openers.get(name)?.isConnected ? openers.get(name) : document.querySelector("#composer textarea"))?.focus());
  }
}

function keep() {
  try {
    localStorage.setItem(STORE, JSON.stringify({ aws: state.panels.aws, drawer: state.panels.drawer }));
  } catch {
    // Without storage the panels are as they are by default next time.
  }
}

/** The panel that covers the page now, if one does. */
export function covering() {
  return ["aws", "drawer", "side", "thread"].find((name) => isOpen(name) && covers(name));
}

/** Shows and hides the panels and makes what is covered inert. */
export function drawPanels() {
  const top = covering();
  for (const [name, element] of elements) {
    const shut = !isOpen(name) && (name !== "side" || covers(name));
    element.classList.toggle("open", isOpen(name));
    element.hidden = shut && name !== "side";
    element.inert = shut || (top !== undefined && top !== name);
  }
  document.body.dataset.covering = top ?? "";
  for (const part of document.querySelectorAll("[data-under]")) {
    part.inert = top !== undefined;
  }
}

/** Escape closes what covers, else the panel in which one is; F6 goes from region to region. */
export function panelKeys() {
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
      const inside = [...elements].find(([name, element]) => name !== "side" && isOpen(name) && element.contains(document.activeElement));
      const name = covering() ?? inside?.[0];
      if (name) {
        event.preventDefault();
        closePanel(name);
      }
    } else if (event.key === "F6") {
      event.preventDefault();
      nextRegion(event.shiftKey ? -1 : 1);
    }
  });
  // What is behind a sheet is inert, so a press beside the sheet lands on the page itself.
  document.addEventListener("click", (event) => {
    const name = covering();
    if (name && name !== "thread" && event.target.isConnected && !elements.get(name).contains(event.target) && !event.target.closest("dialog, .menu, #bar")) {
      closePanel(name);
    }
  });
  for (const query of new Set(Object.values(COVERS))) {
    matchMedia(query).addEventListener("change", changed);
  }
}

function nextRegion(step) {
  const regions = [...document.querySelectorAll("[data-region]")].filter((element) => !element.inert && !element.closest("[inert]") && element.offsetParent !== null);
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions.at((at + step + regions.length) % regions.length);
  (next?.querySelector("[data-first]") ?? (next && firstFocusable(next)))?.focus();
}
