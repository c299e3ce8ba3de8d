// The elements that people operate: buttons, menus, selects, choices, text and dates. Selects, dates and choices are the browser's own
// controls, styled: they come with a keyboard, a screen reader and a phone's wheel.
//
// An action element tells the bot at once (`place.dispatch`), after its confirmation; an input of a modal only keeps its value.

import { confirmed } from "./confirm.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { plainText, textObject } from "./inline.js";
import { menu } from "./menu.js";
import { safeLink } from "./mrkdwn.js";
import { picture } from "./picture.js";
import { fromZone, toZone } from "./zone.js";

const MULTI = new Set(["checkboxes", "multi_static_select", "multi_users_select", "multi_channels_select", "multi_conversations_select"]);
const DRAW = {
  button,
  workflow_button: button,
  overflow,
  static_select: select,
  users_select: select,
  channels_select: select,
  conversations_select: select,
  multi_static_select: choices,
  multi_users_select: choices,
  multi_channels_select: choices,
  multi_conversations_select: choices,
  checkboxes: choices,
  radio_buttons: choices,
  plain_text_input: textInput,
  number_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  datepicker: dateInput,
  timepicker: dateInput,
  datetimepicker: dateInput,
  image: (spec) => picture(spec.image_url, spec.alt_text, "accessory-image"),
};

/** An element of a section, an actions block or a context_actions block: operating it tells the bot. */
export function element(spec, block, place) {
  const draw = DRAW[spec.type];
  if (!draw) {
    return h("span", { class: "unknown-block" }, `[${spec.type}]`);
  }
  return draw(spec, block, { ...place, live: true });
}

/** The element of an input block: it keeps its value until the modal is submitted. */
export function inputElement(spec, block, place) {
  const draw = DRAW[spec?.type];
  if (!draw) {
    return h("span", { class: "unknown-block" }, `[${spec?.type}]`);
  }
  return draw(spec, block, { ...place, live: Boolean(block.dispatch_action) || place.inMessage });
}

/** What stands in an element before anyone touched it, in the form in which it is submitted. */
export function initialValue(spec) {
  const options = (list) => (list ?? []).map((option) => option.value);
  if (MULTI.has(spec.type)) {
    return spec.initial_users ?? spec.initial_channels ?? spec.initial_conversations ?? options(spec.initial_options);
  }
  return (
    spec.initial_value ?? spec.initial_option?.value ?? spec.initial_date ?? spec.initial_time ?? spec.initial_date_time ??
    spec.initial_user ?? spec.initial_channel ?? spec.initial_conversation ?? null
  );
}

function data(spec, block, test, value) {
  return { test, block: block.block_id ?? "", action: spec.action_id ?? "", value };
}

function current(spec, block, place) {
  const kept = place.values.get(block.block_id, spec.action_id);
  return kept === undefined ? initialValue(spec) : kept;
}

/** Keeps a value and, for an element that is live, tells the bot; a refused confirmation takes the choice back. */
async function chosen(spec, block, place, { value, origin, undo }) {
  if (place.live && spec.confirm && !(await confirmed(spec.confirm, place.reader))) {
    undo?.();
    return;
  }
  place.values.set(block.block_id, spec.action_id, value);
  if (place.live) {
    place.dispatch(spec, block, value, origin);
  }
}

function button(spec, block, place) {
  const url = safeLink(spec.url);
  const style = { primary: " primary", danger: " danger" }[spec.style] ?? "";
  const shown = h(
    url ? "a" : "button",
    {
      class: `button${style}`,
      type: url ? null : "button",
      href: url,
      target: url ? "_blank" : null,
      rel: url ? "noreferrer noopener" : null,
      "aria-label": spec.accessibility_label,
      data: data(spec, block, "block-button", spec.value ?? ""),
    },
    h("span", { class: "button-text" }, plainText(spec.text?.text ?? "")),
  );
  shown.addEventListener("click", async () => {
    if (shown.getAttribute("aria-disabled") === "true") {
      return;
    }
    if (spec.confirm && !(await confirmed(spec.confirm, place.reader))) {
      return;
    }
    place.dispatch(spec, block, spec.value, shown);
  });
  return shown;
}

function overflow(spec, block, place) {
  const opener = h(
    "button",
    { class: "button icon-button", type: "button", "aria-label": "More actions", data: data(spec, block, "block-overflow") },
    icon("more"),
  );
  const entries = (spec.options ?? []).map((option) => ({
    label: plainText(option.text?.text ?? ""),
    note: option.description?.text,
    test: "overflow-option",
    value: option.value,
    href: safeLink(option.url),
    choose: async () => {
      if (!spec.confirm || (await confirmed(spec.confirm, place.reader))) {
        place.dispatch(spec, block, option.value, opener);
      }
    },
  }));
  menu(opener, entries);
  return opener;
}

/** What a select offers: groups of `{value, text}`. */
function offered(spec, place) {
  const { reader } = place;
  if (/users_select$/.test(spec.type)) {
    return [{ options: reader.people().map((each) => ({ value: each.id, text: each.real_name || each.name })) }];
  }
  if (/(channels|conversations)_select$/.test(spec.type)) {
    const list = reader.channels().filter((each) => each.kind === "channel");
    return [{ options: list.map((each) => ({ value: each.id, text: `#${each.name}` })) }];
  }
  const groups = spec.option_groups ?? [{ options: spec.options ?? [] }];
  return groups.map((group) => ({
    label: group.label?.text,
    options: group.options.map((option) => ({ value: option.value, text: option.text?.text ?? "", option })),
  }));
}

function select(spec, block, place) {
  const value = current(spec, block, place);
  const option = (each) => h("option", { value: each.value, selected: each.value === value }, each.text);
  const control = h(
    "select",
    {
      class: "select",
      id: place.control?.id,
      "aria-describedby": place.control?.described,
      "aria-invalid": place.control?.invalid ? "true" : null,
      "aria-label": place.control ? null : (spec.placeholder?.text ?? "Choose"),
      data: data(spec, block, "block-select"),
    },
    h("option", { value: "", selected: value === null || value === "", hidden: true }, spec.placeholder?.text ?? "Select an item"),
    offered(spec, place).map((group) => (group.label ? h("optgroup", { label: group.label }, group.options.map(option)) : group.options.map(option))),
  );
  control.addEventListener("change", () => {
    const undo = () => {
      control.value = value ?? "";
    };
    chosen(spec, block, place, { value: control.value, origin: control, undo });
  });
  return h("span", { class: "select-wrap" }, control, icon("chevron"));
}

function choices(spec, block, place) {
  const many = MULTI.has(spec.type);
  const now = current(spec, block, place);
  const held = new Set(many ? now : [now]);
  const name = `${place.id ?? "c"}-${block.block_id}-${spec.action_id}`;
  const box = h("div", { class: /select$/.test(spec.type) ? "choices boxed" : "choices", id: place.control?.id, data: data(spec, block, "block-choices") });
  const rows = offered(spec, place).flatMap((group) => [group.label && h("p", { class: "choice-group" }, group.label), ...group.options.map(row)]);
  function row(each) {
    const control = h("input", {
      type: many ? "checkbox" : "radio",
      name,
      checked: held.has(each.value),
      "aria-describedby": place.control?.described,
      data: data(spec, block, "block-choice", each.value),
    });
    control.value = each.value;
    control.addEventListener("change", () => {
      const ticked = [...box.querySelectorAll("input:checked")].map((input) => input.value);
      const undo = () => {
        control.checked = !control.checked;
      };
      chosen(spec, block, place, { value: many ? ticked : (ticked[0] ?? null), origin: box, undo });
    });
    const text = each.option ? textObject(each.option.text, place.reader) : each.text;
    const note = each.option?.description && h("span", { class: "choice-note" }, textObject(each.option.description, place.reader));
    return h("label", { class: "choice" }, control, h("span", { class: "choice-text" }, text, note));
  }
  box.append(...rows.filter(Boolean));
  return box;
}

const INPUT_TYPES = { number_input: "text", email_text_input: "email", url_text_input: "url", plain_text_input: "text" };

function textInput(spec, block, place) {
  const properties = {
    class: "text-input",
    id: place.control?.id,
    placeholder: spec.placeholder?.text,
    maxlength: spec.max_length,
    "aria-describedby": place.control?.described,
    "aria-invalid": place.control?.invalid ? "true" : null,
    "aria-label": place.control ? null : (spec.placeholder?.text ?? "Text"),
    inputmode: spec.type === "number_input" ? "decimal" : null,
    autocomplete: "off",
    autofocus: Boolean(spec.focus_on_load),
    data: data(spec, block, "block-input"),
  };
  const control = spec.multiline ? h("textarea", { ...properties, rows: 4 }) : h("input", { ...properties, type: INPUT_TYPES[spec.type] });
  control.value = current(spec, block, place) ?? "";
  control.addEventListener("input", () => place.values.set(block.block_id, spec.action_id, control.value));
  control.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !spec.multiline && place.live) {
      event.preventDefault();
      chosen(spec, block, place, { value: control.value, origin: control });
    }
  });
  return control;
}

const DATE_TYPES = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };

function dateInput(spec, block, place) {
  const stamp = spec.type === "datetimepicker";
  const value = current(spec, block, place);
  const control = h("input", {
    class: "text-input date-input",
    type: DATE_TYPES[spec.type],
    id: place.control?.id,
    "aria-describedby": place.control?.described,
    "aria-invalid": place.control?.invalid ? "true" : null,
    "aria-label": place.control ? null : (spec.placeholder?.text ?? "Date"),
    data: data(spec, block, "block-date"),
  });
  control.value = (stamp && value ? toZone(value, place.reader.tz) : value) ?? "";
  control.addEventListener("change", () => {
    const picked = control.value === "" ? null : stamp ? fromZone(control.value, place.reader.tz) : control.value;
    const undo = () => {
      control.value = (stamp && value ? toZone(value, place.reader.tz) : value) ?? "";
    };
    chosen(spec, block, place, { value: picked, origin: control, undo });
  });
  return control;
}
