// Building and patching the document. Foreign text only ever enters it as text nodes: nothing here reads markup from a string.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element.
 * `properties`: `class`, `data` (an object, undefined values are skipped), `on` (listeners), `style` (custom properties), and any
 * attribute; `true` sets an empty attribute, `false`, `null` and `undefined` leave it out. Children that are `null`, `undefined` or
 * `false` are skipped, arrays are flattened, everything else that is not a node becomes a text node.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    set(element, name, value);
  }
  append(element, children);
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) {
    return;
  }
  if (name === "data") {
    for (const [key, entry] of Object.entries(value)) {
      if (entry !== undefined && entry !== null) {
        element.dataset[key] = String(entry);
      }
    }
  } else if (name === "on") {
    for (const [type, listener] of Object.entries(value)) {
      element.addEventListener(type, listener);
    }
  } else if (name === "style") {
    for (const [property, entry] of Object.entries(value)) {
      element.style.setProperty(property, String(entry));
    }
  } else if (name === "value" || name === "checked" || name === "selected" || name === "disabled") {
    element[name] = value;
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Appends children, flattening arrays and skipping what is absent. */
export function append(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) {
      continue;
    }
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

/** Replaces what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/** Makes an SVG element from `[tag, attributes]` shapes. */
export function svg(shapes, attributes = {}) {
  const root = document.createElementNS(SVG, "svg");
  const all = { viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false", class: "icon", ...attributes };
  for (const [name, value] of Object.entries(all)) {
    root.setAttribute(name, value);
  }
  for (const [tag, shape] of shapes) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(shape)) {
      node.setAttribute(name, value);
    }
    root.append(node);
  }
  return root;
}

/**
 * Makes `parent` hold one element per item, in order. An element is kept while its item's `sign` is unchanged, so that focus, scroll
 * position, half-made choices and screen readers are left in peace; what changed is built again and gets the focus back.
 */
export function reconcile(parent, items, { key, sign, build }) {
  const present = new Map();
  for (const child of parent.children) {
    present.set(child.dataset.key, child);
  }
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const id = String(key(item));
    const signature = sign(item);
    let element = present.get(id);
    present.delete(id);
    if (element?.signature !== signature) {
      const fresh = build(item);
      fresh.dataset.key = id;
      fresh.signature = signature;
      if (element) {
        if (cursor === element) {
          cursor = fresh;
        }
        replaceKeepingFocus(element, fresh);
      }
      element = fresh;
    }
    if (cursor === element) {
      cursor = element.nextElementSibling;
    } else {
      parent.insertBefore(element, cursor);
    }
  }
  for (const gone of present.values()) {
    gone.remove();
  }
}

/**
 * Makes `parent` hold one element per item, in order, each made once; its own `draw(item)` tells it what is new. For what somebody may be typing into.
 */
export function keep(parent, items, { key, make }) {
  reconcile(parent, items, { key, sign: () => "kept", build: make });
  items.forEach((item, at) => parent.children[at].draw(item));
}

/** Swaps an element for a newer one; the focus moves to the control that stands for the one that had it. */
export function replaceKeepingFocus(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const handle = focused && handleOf(focused);
  const range = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
  old.replaceWith(fresh);
  if (!focused) {
    return;
  }
  const twin = handle && [...fresh.querySelectorAll(FOCUSABLE)].find((element) => handleOf(element) === handle);
  const target = twin ?? fresh.querySelector(FOCUSABLE) ?? fresh;
  if (target === fresh && !fresh.hasAttribute("tabindex")) {
    fresh.tabIndex = -1;
  }
  target.focus({ preventScroll: true });
  if (twin && range && range[0] !== null) {
    twin.setSelectionRange?.(range[0], range[1]);
  }
}

function handleOf(element) {
  const { test, action, block, value } = element.dataset;
  return test || action ? [test, block && action ? "" : block, action, value].join("|") : element.tagName + (element.textContent ?? "");
}

/** What the Tab key stops at. */
export const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), summary, [tabindex]:not([tabindex="-1"])';

/** The first control below an element that can be seen and reached. */
export function firstFocusable(element) {
  return [...element.querySelectorAll(FOCUSABLE)].find((each) => !each.closest("[inert]") && each.checkVisibility({ visibilityProperty: true }));
}

/** Runs a function at the next frame, once, however often it is asked for before. */
export function oncePerFrame(work) {
  let due = false;
  return () => {
    if (!due) {
      due = true;
      requestAnimationFrame(() => {
        due = false;
        work();
      });
    }
  };
}
