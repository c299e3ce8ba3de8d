// Pictures in messages.

import { h } from "./dom.js";
import { link } from "./inline.js";
import { safeLink } from "./mrkdwn.js";

/** A picture of this sandbox; one from elsewhere is not fetched (the page asks nobody else for anything): its description is a link to it. */
export function picture(url, alt, name) {
  const own = /^data:image\//.test(url ?? "") || URL.parse(url, location.href)?.origin === location.origin;
  if (!own) {
    return h("span", { class: "image-missing" }, safeLink(url) ? link(url, alt || "picture") : alt || "picture");
  }
  const shown = h("img", { class: name, src: url, alt: alt ?? "", loading: "lazy" });
  shown.addEventListener("error", () => shown.replaceWith(h("span", { class: "image-missing" }, alt || "picture")));
  return shown;
}
