// Modals: private, validated, patient.

import assert from "node:assert/strict";
import { test } from "node:test";

import { actions, button, input, modal, option, plain, section, unique } from "./kit.mjs";

/** A card whose button opens a modal; resolves when it is shown. */
async function opens(stage, tab, view) {
  const title = unique("opens");
  const id = unique("open").replaceAll(" ", "-");
  stage.app.on(id, async (payload) => {
    setImmediate(() => stage.app.call("views.open", { trigger_id: payload.trigger_id, view }));
    return null;
  });
  await stage.app.posts(title, [section(title), actions(button(id, "Open"))]);
  await tab.message(title).locator(`[data-action="${id}"]`).click();
  await tab.test("modal").waitFor();
}

export function modals(stage) {
  test("every kind of input reaches the app with its value", async () => {
    const id = unique("all").replaceAll(" ", "-");
    const view = modal(id, "Everything", [
      input("line", "Line", { type: "plain_text_input", action_id: "v" }),
      input("lines", "Lines", { type: "plain_text_input", action_id: "v", multiline: true }),
      input("env", "Environment", { type: "static_select", action_id: "v", options: [option("testnet"), option("mainnet")] }),
      input("boxes", "Boxes", { type: "checkboxes", action_id: "v", options: [option("a"), option("b"), option("c")] }),
      input("radio", "Radio", { type: "radio_buttons", action_id: "v", options: [option("x"), option("y")], initial_option: option("x") }),
      input("day", "Day", { type: "datepicker", action_id: "v", initial_date: "2026-11-21" }),
      input("who", "Who", { type: "users_select", action_id: "v" }),
      input("note", "Note", { type: "plain_text_input", action_id: "v" }, { optional: true }),
    ]);
    let values;
    stage.app.on(id, (payload) => {
      values = payload.view.state.values;
      return null;
    });
    const tab = await stage.open();
    await opens(stage, tab, view);
    const block = (name) => tab.test("input-block", name);
    assert.equal(await tab.page.evaluate(() => document.activeElement.closest("[data-test=input-block]")?.dataset.value), "line", "the first field has the focus");
    await block("line").getByLabel("Line").fill("one");
    await block("lines").getByLabel("Lines").fill("two\nthree");
    await block("env").getByLabel("Environment").selectOption("mainnet");
    await block("boxes").getByLabel("a").check();
    await block("boxes").getByLabel("c").check();
    await block("radio").getByLabel("y").check();
    await block("who").getByLabel("Who").selectOption("U0BRUNO");
    await tab.test("modal-submit").click();
    await tab.test("modal").waitFor({ state: "detached" });
    assert.equal(values.line.v.value, "one");
    assert.equal(values.lines.v.value, "two\nthree");
    assert.equal(values.env.v.selected_option.value, "mainnet");
    assert.deepEqual(values.boxes.v.selected_options.map((each) => each.value), ["a", "c"]);
    assert.equal(values.radio.v.selected_option.value, "y");
    assert.equal(values.day.v.selected_date, "2026-11-21");
    assert.equal(values.who.v.selected_user, "U0BRUNO");
    assert.ok(values.note?.v?.value === null || values.note === undefined || values.note.v === undefined);
    await tab.close();
  });

  test("errors stand at their fields, Slack's own and the app's, and what was typed stays", async () => {
    const id = unique("errors").replaceAll(" ", "-");
    const view = modal(id, "Reject", [input("reason", "Why?", { type: "plain_text_input", action_id: "v", multiline: true }, { hint: plain("All can read it") })]);
    stage.app.on(id, (payload) => (payload.view.state.values.reason.v.value.length < 10 ? { response_action: "errors", errors: { reason: "Say a little more" } } : null));
    const tab = await stage.open();
    await opens(stage, tab, view);
    const before = stage.app.interactions(id).length;
    await tab.test("modal-submit").click();
    await tab.test("input-error", "reason").waitFor();
    assert.equal(stage.app.interactions(id).length, before, "an empty required field never reaches the app");
    const field = tab.page.getByLabel("Why?");
    await field.fill("too short");
    await tab.test("modal-submit").click();
    await tab.page.getByText("Say a little more").waitFor();
    assert.equal(await field.inputValue(), "too short");
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    const described = (await field.getAttribute("aria-describedby")).split(" ");
    const texts = await Promise.all(described.map((each) => tab.page.locator(`[id="${each}"]`).innerText()));
    assert.deepEqual(texts, ["All can read it", "Say a little more"]);
    await field.fill("the migration locks a table");
    await tab.test("modal-submit").click();
    await tab.test("modal").waitFor({ state: "detached" });
    await tab.close();
  });

  test("a modal is its person's alone and can be left in every way", async () => {
    const id = unique("private").replaceAll(" ", "-");
    const view = modal(id, "Mine", [section("secret")], { notify_on_close: true });
    const ann = await stage.open({ as: "U0ANN" });
    const bruno = await stage.open({ as: "U0BRUNO" });
    await opens(stage, ann, view);
    assert.equal(await bruno.test("modal").count(), 0);
    const closed = stage.app.next(({ payload }) => payload.type === "view_closed");
    await ann.page.keyboard.press("Escape");
    assert.equal((await closed).payload.user.id, "U0ANN");
    await ann.test("modal").waitFor({ state: "detached" });
    for (const way of ["modal-cross", "modal-close"]) {
      await opens(stage, ann, view);
      await ann.test(way).click();
      await ann.test("modal").waitFor({ state: "detached" });
    }
    await ann.close();
    await bruno.close();
  });

  test("an update of an open modal keeps what was typed, and Tab stays inside", async () => {
    const id = unique("update").replaceAll(" ", "-");
    const reason = input("reason", "Why?", { type: "plain_text_input", action_id: "v" });
    const view = modal(id, "Look", [section("looking…"), reason]);
    const tab = await stage.open();
    let viewId;
    const title = unique("updates");
    stage.app.on(id, async (payload) => {
      setImmediate(async () => {
        viewId = (await stage.app.call("views.open", { trigger_id: payload.trigger_id, view })).view.id;
      });
      return null;
    });
    await stage.app.posts(title, [section(title), actions(button(id, "Open"))]);
    await tab.message(title).locator(`[data-action="${id}"]`).click();
    await tab.page.getByLabel("Why?").fill("half a thought");
    await stage.app.call("views.update", { view_id: viewId, view: modal(id, "Look", [section("4 commits"), reason]) });
    await tab.test("modal").getByText("4 commits").waitFor();
    assert.equal(await tab.page.getByLabel("Why?").inputValue(), "half a thought");
    assert.equal(await tab.page.evaluate(() => document.activeElement.tagName), "INPUT", "the focus stays in the field");
    for (let count = 0; count < 12; count += 1) {
      await tab.page.keyboard.press("Tab");
      const where = await tab.page.evaluate(() => (document.activeElement === document.body ? "body" : Boolean(document.activeElement.closest("dialog"))));
      assert.ok(where === true || where === "body", "what is behind the modal cannot be reached");
    }
    await tab.page.keyboard.press("Escape");
    await tab.test("modal").waitFor({ state: "detached" });
    await tab.close();
  });
}
