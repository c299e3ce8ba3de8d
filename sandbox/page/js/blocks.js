// Block Kit, drawn. One function per block; elements that people operate are in `elements.js`.
//
// A `place` says where the blocks stand and what operating them does: `{reader, dispatch(element, blockId, value, origin), values, test}`.
// `values` keeps what was chosen but not sent (`block_id` → `action_id` → value), so that a redraw loses nothing.

import { h } from "./dom.js";
import { element, inputElement } from "./elements.js";
import { plainText, textObject } from "./inline.js";
import { markdown } from "./markdown.js";
import { picture } from "./picture.js";
import { richText } from "./rich-text.js";

const BLOCKS = { section, header, divider, context, actions, input, image, rich_text: richTextBlock, markdown: markdownBlock, table, video };

/** The blocks of a message or a view. */
export function blocks(list, place) {
  return h("div", { class: "blocks" }, (list ?? []).map((block) => one(block, place)));
}

function one(block, place) {
  const draw = BLOCKS[block.type];
  const drawn = draw ? draw(block, place) : unknown(block.type);
  drawn.classList.add("block");
  drawn.dataset.block = block.block_id ?? "";
  drawn.dataset.blockType = block.type;
  return drawn;
}

function unknown(type) {
  return h("p", { class: "unknown-block" }, `This page cannot draw a block of type “${type}”.`);
}

function section(block, place) {
  const body = h("div", { class: "section-body" });
  if (block.text) {
    body.append(h("div", { class: "section-text" }, textObject(block.text, place.reader)));
  }
  if (block.fields) {
    body.append(h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "field" }, textObject(field, place.reader)))));
  }
  const accessory = block.accessory && h("div", { class: "accessory" }, element(block.accessory, block, place));
  return h("div", { class: accessory ? "section with-accessory" : "section" }, body, accessory);
}

function header(block) {
  return h("h3", { class: "header" }, plainText(block.text?.text ?? ""));
}

function divider() {
  return h("hr", { class: "divider" });
}

function context(block, place) {
  const parts = (block.elements ?? []).map((part) =>
    part.type === "image"
      ? picture(part.image_url, part.alt_text, "context-image")
      : h("span", { class: "context-text" }, textObject(part, place.reader)),
  );
  return h("div", { class: "context" }, parts);
}

function actions(block, place) {
  return h("div", { class: "actions" }, (block.elements ?? []).map((each) => element(each, block, place)));
}

/** A labeled input of a modal (or of a message), with its hint and the error that came back for it. */
function input(block, place) {
  const id = `${place.id}-${block.block_id ?? ""}`;
  const error = place.errors?.[block.block_id];
  const many = ["checkboxes", "radio_buttons", "multi_static_select", "multi_users_select"].includes(block.element?.type);
  const described = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const control = inputElement(block.element, block, { ...place, control: { id, described: described || null, invalid: Boolean(error) } });
  const label = [plainText(block.label?.text ?? ""), block.optional && h("span", { class: "optional" }, " (optional)")];
  return h(
    many ? "fieldset" : "div",
    { class: error ? "input has-error" : "input", data: { test: "input-block", value: block.block_id } },
    many ? h("legend", { class: "label" }, label) : h("label", { class: "label", for: id }, label),
    control,
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, plainText(block.hint.text)),
    error && h("p", { class: "error", id: `${id}-error`, data: { test: "input-error", value: block.block_id } }, error),
  );
}

function image(block) {
  return h(
    "figure",
    { class: "image" },
    block.title && h("figcaption", { class: "image-title" }, plainText(block.title.text)),
    picture(block.image_url, block.alt_text, "image-full"),
  );
}

function richTextBlock(block, place) {
  return h("div", { class: "rich-text" }, richText(block.elements ?? [], place.reader));
}

function markdownBlock(block, place) {
  return h("div", { class: "markdown" }, markdown(block.text ?? "", place.reader));
}

function video(block) {
  return h("p", { class: "unknown-block" }, plainText(block.title?.text ?? block.alt_text ?? "video"));
}

function table(block, place) {
  const [head, ...rows] = block.rows ?? [];
  const align = block.column_settings ?? [];
  const cells = (row, tag) =>
    row.map((cell, at) => h(tag, { class: `align-${align[at]?.align ?? "left"}`, scope: tag === "th" ? "col" : null }, tableCell(cell, place)));
  return h(
    "div",
    { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Table" },
    h(
      "table",
      { class: "table" },
      head && h("thead", {}, h("tr", {}, cells(head, "th"))),
      h("tbody", {}, rows.map((row) => h("tr", {}, cells(row, "td")))),
    ),
  );
}

function tableCell(cell, place) {
  return cell.type === "rich_text" ? richText(cell.elements ?? [], place.reader) : String(cell.text ?? "");
}
