// What was operated and is not answered yet: its control shows a spinner and does nothing more until then, even when the message around
// it is drawn again meanwhile.

const pending = new Map();

function key({ place, block, action, value }) {
  return [place, block, action, value].join("\u0000");
}

function addressOf(control) {
  const place = control.closest("[data-place]")?.dataset.place ?? "";
  const { block = "", action = "", value = "" } = control.dataset;
  return key({ place, block, action, value });
}

/** Marks a control busy while `work` runs. A second call for the same control does nothing. */
export async function whileBusy(control, work) {
  const address = addressOf(control);
  if (pending.has(address)) {
    return;
  }
  pending.set(address, true);
  mark(control, true);
  try {
    await work();
  } finally {
    pending.delete(address);
    mark(control, false);
    for (const twin of document.querySelectorAll("[aria-busy=true][data-action]")) {
      if (addressOf(twin) === address) {
        mark(twin, false);
      }
    }
  }
}

/** Marks the controls below `root` that are still waiting: after a redraw. */
export function markPending(root) {
  if (pending.size === 0) {
    return;
  }
  for (const control of root.querySelectorAll("[data-action]")) {
    if (pending.has(addressOf(control))) {
      mark(control, true);
    }
  }
}

function mark(control, busy) {
  if (busy) {
    control.setAttribute("aria-busy", "true");
    control.setAttribute("aria-disabled", "true");
  } else {
    control.removeAttribute("aria-busy");
    control.removeAttribute("aria-disabled");
  }
}
