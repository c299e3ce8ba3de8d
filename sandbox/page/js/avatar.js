// Faces: initials on a person's color; apps get rounded squares with the mark.

import { h } from "./dom.js";
import { mark } from "./icons.js";

/** A face. `size` is `small`, `medium` or `large`. Decorative: the name stands beside it. */
export function avatar(who, size = "medium") {
  const app = who?.bot && who.id !== "USLACKBOT";
  return h(
    "span",
    { class: `avatar ${size}${app ? " app" : ""}`, "aria-hidden": "true", style: { "--face": safeColor(who?.color) } },
    app ? mark() : (who?.initials ?? "?"),
  );
}

/** A color from a profile, only if it is one. */
function safeColor(color) {
  return /^#[0-9a-f]{6}$/i.test(color ?? "") ? color : "#5b6470";
}
