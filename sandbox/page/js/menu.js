// A menu that drops from a button: arrow keys, Home and End, letters, Escape. One is open at a time.

import { h } from "./dom.js";

let openMenu = null;

/** Closes the open menu, if there is one; `refocus` gives the focus back to its button. */
export function closeMenu(refocus = false) {
  openMenu?.(refocus);
}

/**
 * Makes `opener` open a menu of `entries`: `{label, note, test, value, href, choose, checked}`. A function is called at each opening.
 */
export function menu(opener, entries, { label = "Actions", kind = "" } = {}) {
  opener.setAttribute("aria-haspopup", "menu");
  opener.setAttribute("aria-expanded", "false");
  const toggle = () => {
    if (opener.getAttribute("aria-expanded") === "true") {
      closeMenu(true);
    } else {
      open(opener, typeof entries === "function" ? entries() : entries, { label, kind });
    }
  };
  opener.addEventListener("click", toggle);
  opener.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && opener.getAttribute("aria-expanded") === "false") {
      event.preventDefault();
      toggle();
    }
  });
}

function open(opener, entries, { label, kind }) {
  closeMenu();
  const list = h("div", { class: `menu ${kind}`, role: "menu", "aria-label": label, tabindex: "-1" }, entries.map(entryRow));
  // Inside a modal dialog everything else is inert, so the menu goes where its button is.
  (opener.closest("dialog") ?? document.body).append(list);
  place(list, opener);
  opener.setAttribute("aria-expanded", "true");
  const outside = (event) => {
    if (!list.contains(event.target) && !opener.contains(event.target)) {
      closeMenu();
    }
  };
  // Only what moves its button away closes it: a channel scrolls by itself when somebody says something.
  const moved = (event) => {
    if (!(event.target instanceof Node) || event.target.contains(opener)) {
      closeMenu();
    }
  };
  openMenu = (refocus) => {
    openMenu = null;
    list.remove();
    opener.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside);
    removeEventListener("resize", moved);
    document.removeEventListener("scroll", moved, true);
    if (refocus && opener.isConnected) {
      opener.focus({ preventScroll: true });
    }
  };
  document.addEventListener("pointerdown", outside);
  addEventListener("resize", moved);
  document.addEventListener("scroll", moved, true);
  list.addEventListener("keydown", (event) => keys(event, list));
  (list.querySelector('[aria-checked="true"]') ?? list.firstElementChild)?.focus({ preventScroll: true });
}

function entryRow(entry) {
  const row = h(
    entry.href ? "a" : "button",
    {
      class: "menu-entry",
      role: entry.checked === undefined ? "menuitem" : "menuitemradio",
      "aria-checked": entry.checked === undefined ? null : String(entry.checked),
      type: entry.href ? null : "button",
      href: entry.href,
      target: entry.href ? "_blank" : null,
      rel: entry.href ? "noreferrer noopener" : null,
      tabindex: "-1",
      data: { test: entry.test, value: entry.value },
    },
    entry.lead,
    h("span", { class: "menu-text" }, h("span", { class: "menu-label" }, entry.label), entry.note && h("span", { class: "menu-note" }, entry.note)),
    entry.tail,
  );
  row.addEventListener("click", () => {
    closeMenu(true);
    entry.choose?.();
  });
  return row;
}

function keys(event, list) {
  const rows = [...list.children];
  const at = rows.indexOf(document.activeElement);
  const goTo = (index) => {
    event.preventDefault();
    rows.at(index % rows.length)?.focus();
  };
  if (event.key === "ArrowDown") {
    goTo(at + 1);
  } else if (event.key === "ArrowUp") {
    goTo(at - 1);
  } else if (event.key === "Home") {
    goTo(0);
  } else if (event.key === "End") {
    goTo(-1);
  } else if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    closeMenu(true);
  } else if (event.key === "Tab") {
    closeMenu(true);
  } else if (event.key.length === 1) {
    const letter = event.key.toLowerCase();
    const order = [...rows.slice(at + 1), ...rows.slice(0, at + 1)];
    order.find((row) => row.textContent.trim().toLowerCase().startsWith(letter))?.focus();
  }
}

/** Below its button if there is room, else above; never outside the window. */
function place(list, opener) {
  const box = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = list;
  const gap = 4;
  const margin = 8;
  const below = box.bottom + gap + height <= innerHeight - margin;
  const top = below ? box.bottom + gap : Math.max(margin, box.top - gap - height);
  list.style.left = `${Math.max(margin, Math.min(box.left, innerWidth - width - margin))}px`;
  list.style.top = `${top}px`;
  list.style.maxHeight = `${innerHeight - top - margin}px`;
}
