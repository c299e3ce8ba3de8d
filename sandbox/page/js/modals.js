// A bot's modals: the top view of this person's stack, with what they typed kept across updates and the errors where they belong.

import { act } from "./api.js";
import { blocks } from "./blocks.js";
import { dialog, show } from "./dialog.js";
import { h, replaceKeepingFocus } from "./dom.js";
import { initialValue } from "./elements.js";
import { plainText } from "./inline.js";
import { markPending, whileBusy } from "./pending.js";
import { deliveryError, person, reader, state } from "./state.js";
import { refreshNow } from "./sync.js";
import { forget, valuesOf } from "./values.js";

let shown = null;

/** Shows, updates or closes the modal to match the state. */
export function drawModal() {
  const stack = state.world.slack.modals.find((each) => each.user === state.me)?.views ?? [];
  const view = stack.at(-1);
  if (!view) {
    if (shown) {
      forget(`view ${shown.id}`);
    }
    dismiss();
    return;
  }
  const sign = JSON.stringify([view, state.me, stack.length]);
  if (shown?.sign === sign) {
    return;
  }
  if (shown?.id === view.id && shown.user === state.me) {
    update(view, sign);
  } else {
    dismiss();
    open(view, sign, stack.length);
  }
}

function dismiss() {
  shown?.close();
  shown = null;
}

function open(view, sign, depth) {
  const body = content(view, view.errors);
  const footer = h("div", { class: "modal-footer" }, controls(view, depth));
  const element = dialog({
    title: plainText(view.title?.text ?? "Modal"),
    body,
    footer,
    test: "modal",
    kind: "modal",
    onDismiss: (how) => close(view, how === "cross"),
  });
  element.dataset.view = view.id;
  shown = { id: view.id, user: state.me, sign, element, body, footer, depth, close: show(element) };
  const first = element.querySelector("[autofocus], .dialog-body :is(input, textarea, select, button)");
  first?.focus();
}

function update(view, sign) {
  const body = content(view, view.errors);
  replaceKeepingFocus(shown.body, body);
  const footer = h("div", { class: "modal-footer" }, controls(view, shown.depth));
  replaceKeepingFocus(shown.footer, footer);
  shown.element.querySelector(".dialog-title").replaceChildren(...plainText(view.title?.text ?? "Modal"));
  Object.assign(shown, { sign, body, footer });
  markPending(shown.element);
}

function content(view, errors) {
  const place = {
    id: `v${view.id}`,
    reader: reader(),
    errors: errors ?? {},
    values: valuesOf(`view ${view.id}`),
    dispatch: (spec, block, value, origin) => operate(view, { spec, block, value, origin }),
  };
  return h("form", { class: "modal-form", novalidate: true, id: `form-${view.id}`, data: { place: view.id }, on: { submit: (event) => submit(event, view) } },
    h("p", { class: "modal-error", role: "alert", hidden: true, data: { test: "modal-error" } }),
    blocks(view.blocks, place),
  );
}

function controls(view, depth) {
  const app = person(state.world.slack.bot.user)?.real_name;
  const cancel = h("button", { class: "button", type: "button", data: { test: "modal-close" } }, plainText(view.close?.text ?? (depth > 1 ? "Back" : "Cancel")));
  cancel.addEventListener("click", () => close(view, false));
  const send =
    view.submit &&
    h("button", { class: "button primary filled", type: "submit", form: `form-${view.id}`, data: { test: "modal-submit", action: "submit", block: "" } },
      h("span", { class: "button-text" }, plainText(view.submit.text ?? "Submit")));
  return [h("span", { class: "modal-note" }, `From ${app}. Only you can see this.`), cancel, send];
}

/** The values of all inputs, in the form in which the control API takes them. */
function collect(view) {
  const kept = valuesOf(`view ${view.id}`);
  const values = {};
  for (const block of view.blocks ?? []) {
    const elements = block.type === "input" ? [block.element] : [...(block.elements ?? []), block.accessory];
    for (const spec of elements) {
      if (!spec?.action_id || spec.type === "button" || spec.type === "overflow") {
        continue;
      }
      const value = kept.get(block.block_id, spec.action_id) ?? initialValue(spec);
      const absent = value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
      if (!absent) {
        values[block.block_id] = { ...values[block.block_id], [spec.action_id]: value };
      }
    }
  }
  return values;
}

function submit(event, view) {
  event.preventDefault();
  const button = shown?.element.querySelector('[data-test="modal-submit"]');
  if (!button) {
    return;
  }
  whileBusy(button, async () => {
    await attempt(async () => {
      const answer = await act("/slack/submit", { user: state.me, view_id: view.id, values: collect(view) });
      if (answer.error) {
        complain(deliveryError(answer.error, "Sending this"));
      }
      await refreshNow("state");
      focusFirstError(answer.errors);
    });
  });
}

function focusFirstError(errors) {
  if (!errors || Object.keys(errors).length === 0) {
    return;
  }
  requestAnimationFrame(() => shown?.element.querySelector(".has-error :is(input, textarea, select)")?.focus());
}

function operate(view, { spec, block, value, origin }) {
  return whileBusy(origin, () =>
    attempt(async () => {
      const answer = await act("/slack/click", { user: state.me, view_id: view.id, action_id: spec.action_id, block_id: block.block_id, value });
      if (answer.error) {
        complain(deliveryError(answer.error, "That"));
      }
    }),
  );
}

async function close(view, all) {
  await attempt(async () => {
    await act("/slack/close", { user: state.me, view_id: view.id, ...(all ? { all: true } : {}) });
    await refreshNow("state");
  });
}

async function attempt(work) {
  try {
    complain("");
    await work();
  } catch (refusal) {
    complain(refusal.message);
  }
}

function complain(text) {
  const line = shown?.element.querySelector(".modal-error");
  if (line) {
    line.textContent = text;
    line.hidden = text === "";
  }
}
