// Dialogs, on the browser's own `<dialog>`: it keeps the focus inside, makes the rest inert and closes on Escape.

import { h } from "./dom.js";
import { icon } from "./icons.js";

let number = 0;

/**
 * Makes a dialog: a title bar, a body that scrolls and a footer. `onDismiss` hears Escape and the cross; it decides whether to close.
 * The caller shows it with `showModal()` and removes it.
 */
export function dialog({ title, body, footer, test, onDismiss, kind = "" }) {
  number += 1;
  const id = `dialog-${number}`;
  const cross = h("button", { class: "icon-button", type: "button", "aria-label": "Close", data: { test: `${test}-cross` } }, icon("close"));
  const shown = h(
    "dialog",
    { class: `dialog ${kind}`, "aria-labelledby": id, data: { test } },
    h("div", { class: "dialog-bar" }, h("h2", { class: "dialog-title", id }, title), cross),
    h("div", { class: "dialog-body", tabindex: "-1" }, body),
    footer && h("div", { class: "dialog-footer" }, footer),
  );
  shown.addEventListener("cancel", (event) => {
    event.preventDefault();
    onDismiss("escape");
  });
  cross.addEventListener("click", () => onDismiss("cross"));
  return shown;
}

/** Shows a dialog and gives the focus back to whoever had it, if it is still there, once the dialog is removed. */
export function show(shown) {
  const before = document.activeElement;
  document.body.append(shown);
  shown.showModal();
  return () => {
    shown.close();
    shown.remove();
    if (before?.isConnected) {
      before.focus({ preventScroll: true });
    }
  };
}
