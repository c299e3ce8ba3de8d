// The confirmation that a bot may put before a button or a choice.

import { dialog, show } from "./dialog.js";
import { h } from "./dom.js";
import { plainText, textObject } from "./inline.js";

/** Asks; resolves to whether the person went on. Escape and the cross are a no. */
export function confirmed(spec, reader) {
  return new Promise((resolve) => {
    let close = () => {};
    const answer = (yes) => {
      close();
      resolve(yes);
    };
    const deny = h("button", { class: "button", type: "button", data: { test: "confirm-deny" } }, plainText(spec.deny?.text ?? "Cancel"));
    const go = h(
      "button",
      { class: `button ${spec.style === "danger" ? "danger" : "primary"} filled`, type: "button", data: { test: "confirm-ok" } },
      plainText(spec.confirm?.text ?? "Yes"),
    );
    deny.addEventListener("click", () => answer(false));
    go.addEventListener("click", () => answer(true));
    const shown = dialog({
      title: plainText(spec.title?.text ?? "Are you sure?"),
      body: h("div", { class: "confirm-text" }, textObject(spec.text, reader)),
      footer: [deny, go],
      test: "confirm",
      kind: "small",
      onDismiss: () => answer(false),
    });
    close = show(shown);
    // The dangerous answer is never one stray Enter away.
    (spec.style === "danger" ? deny : go).focus();
  });
}
