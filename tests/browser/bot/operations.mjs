// A team's runbooks from the page: planned, started, steered by what happens in the account, mended, finished.

import assert from "node:assert/strict";

import { presses, story } from "./town.mjs";

const SEGMENTS = "migration_segments_queue_stg";
const INFRASTRUCTURE = "ef-cms-deploy-migration";
const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** A flag of the deploy table as the page shows it: its value and its type. */
async function flag(town, name) {
  const row = town.tab.test("flag", name);
  return [await row.locator(".flag-value").innerText(), await row.locator(".flag-type").innerText()];
}

/** Until the segments are worked off, slowly enough to be looked at, and the card says how long it will take; returns it. */
export async function copies(town) {
  const { tab } = town;
  await town.inTime(20, "migrate · ef-cms → stg · step 21 of 25", "left");
  await tab.test("queue-rate", SEGMENTS).fill("0.5");
  await tab.test("queue-drain", SEGMENTS).click();
  await tab.test("queue", SEGMENTS).getByText("worked off at 0.5 a second").waitFor();
  return town.inTime(20, /migrate · ef-cms → stg · step 21 of 25: Every segment is copied · \d+ % · .+ left/);
}

/** What the migration's function writes about a record that does not fit, for another case each time. */
const tooLarge = (number) => `2026-11-21T14:00:00.${number}Z\t4f2c1d9a-0000-4000-8000-000000000${number}\tERROR\tInvoke Error\t${JSON.stringify({ errorType: "ValidationException", errorMessage: `Item size of case ${number}-20 has exceeded the maximum allowed size` })}`;

/** From the plan to a migration that is done, through a build that fails and dead letters. */
async function migrates(town) {
  const { tab } = town;
  await tab.says("/deploy run migrate stg source=alpha destination=beta --plan");
  const plan = await town.inTime(2, "plan of migrate", "changes nothing");
  await plan.getByText("starts the build ef-cms-deploy-migration").waitFor();
  await town.pictures("ef-cms-1-plan", plan);
  await town.opensResources();
  assert.deepEqual(await flag(town, "migrate"), ["false", "string"], "a plan changes nothing");
  await tab.test("part-toggle", "builds").first().click();
  await tab.test("project-toggle", INFRASTRUCTURE).click();
  await tab.test("project-words", INFRASTRUCTURE).fill("Error: creating IAM Role (migration_role_stg): EntityAlreadyExists: Role with name migration_role_stg already exists.");
  await tab.test("project-fail", INFRASTRUCTURE).click();
  await tab.test("project", INFRASTRUCTURE).getByText("next fails").waitFor();

  await tab.says("/deploy run migrate stg source=alpha destination=beta");
  const failed = await town.inTime(30, "migrate · ef-cms → stg", "build_failed", "Known as “the role is left from before”: Delete migration_role");
  await town.pictures("ef-cms-3-build-failed", failed);
  await tab.test("project", INFRASTRUCTURE).locator('[data-test="build"][data-value="FAILED"]').waitFor();
  await presses(town, failed, "retry", { asks: true });

  const copying = await copies(town);
  await town.pictures("ef-cms-4-under-way", copying);
  assert.deepEqual(await flag(town, "migrate"), ["true", "string"], "its readers look at a string");
  await tab.test("queue-count", SEGMENTS).fill("3");
  await town.control("/aws/deed", { region: "us-east-1", logs: { append: { group: "/aws/lambda/migration_segments_lambda_stg", lines: [101, 102, 103].map(tooLarge) } } });
  await tab.test("queue-fail", SEGMENTS).click();
  await tab.test("part", "queues").getByText("3 dead letters").waitFor();
  const stopped = await town.inTime(60, "migrate · ef-cms → stg", "migration_segments_dl_queue_stg holds 3: look at what they are", "3 × ValidationException: Item size of case 103-20");
  await town.pictures("ef-cms-5-stopped", stopped);
  await tab.test("queue-clear", "migration_segments_dl_queue_stg").click();
  await tab.test("queue-rate", SEGMENTS).fill("50");
  await tab.test("queue-drain", SEGMENTS).click();
  await presses(town, stopped, "retry", { asks: true });
  const done = await town.inTime(60, "migrate · ef-cms → stg · done", "1960 of 1960 documents, 0 apart");
  await town.pictures("ef-cms-6-done", done);
}

/** From the question to traffic on the other color. */
async function switches(town) {
  const { tab } = town;
  await tab.says("/deploy run switch stg");
  const asked = await town.inTime(60, "switch · ef-cms → stg", "from blue to green? Migrated: true");
  await town.pictures("ef-cms-7-switch-asked", asked);
  await tab.becomes("U0BRUNO");
  // API Gateway is slow to answer: meanwhile the card says what is where.
  await town.control("/faults", { target: "aws.UpdateBasePathMapping", kind: "throttle", times: 3, retry_after: 20 });
  await presses(town, asked, "confirm", { asks: true });
  const mixed = await town.inTime(20, "switch · ef-cms → stg", "mixed: UI green, API on its way to green in us-east-1, API blue in us-west-1, public API blue, sign-in blue");
  await town.pictures("ef-cms-8-mixed", mixed);
  const done = await town.inTime(60, "switch · ef-cms → stg · done");
  await town.pictures("ef-cms-9-switched", done);
  await tab.test("flag", "current-color").getByText("green").waitFor();
  assert.deepEqual(await flag(town, "migrate"), ["false", "string"]);
  assert.deepEqual(await flag(town, "pending-color-switch"), ["false", "string"]);
  await tab.test("record-set").filter({ hasText: "app-green.stg.court.example.org" }).first().waitFor();
  const { aws } = await town.control("/state");
  const east = aws.places.find((place) => place.region === "us-east-1");
  const started = (name) => east.projects.find((project) => project.name === name).builds.length;
  assert.deepEqual(["ef-cms-start-migration", "ef-cms-switch-ui", "ef-cms-switch-cognito"].map(started), [1, 1, 1], "once each");
  assert.equal(started(INFRASTRUCTURE), 2, "the one that failed, and the one after it");
}

export function operations(stage) {
  story(stage, "a migration and a switch, steered from the account: a build fails, letters die, both are mended", { scenario: "ef-cms", as: "U0CARLA" }, async (town) => {
    await migrates(town);
    await switches(town);
  });

  story(stage, "on a phone, by keyboard, in the dark: what the account has is seen and steered", { scenario: "ef-cms", as: "U0CARLA", phone: true, dark: true }, async (town) => {
    const { tab, page } = town;
    await town.control("/aws/deed", { region: "us-east-1", seed: { queue: [{ name: "work-dead" }, { name: "work", dead_letters: "work-dead", messages: 4 }] } });
    await town.opensResources();
    const queue = tab.test("queue", "work");
    await queue.getByText("4 visible").waitFor();
    assert.equal(await sideways(page), 0);
    for (const test of ["queue-count", "queue-put", "queue-fail", "queue-rate", "queue-drain"]) {
      const box = await tab.test(test, "work").boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 390, `${test} is on the screen`);
      assert.ok(box.height >= 32, `${test} can be hit with a thumb: ${box.height}`);
    }
    await tab.test("queue-count", "work").focus();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("7");
    // What the account does meanwhile leaves alone what is being typed.
    await town.control("/aws/deed", { region: "us-east-1", sqs: { put: { queue: "work", count: 1 } } });
    await queue.getByText("5 visible").waitFor();
    assert.equal(await tab.test("queue-count", "work").inputValue(), "7");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.test), "queue-put");
    await page.keyboard.press("Enter");
    await queue.getByText("12 visible").waitFor();
    await tab.test("part-toggle", "functions").first().press("Enter");
    await tab.test("function-toggle", "streams_stg_green").press("Enter");
    const fed = tab.test("mapping", "streams_stg_green");
    await fed.locator("[data-test=mapping-switch]").press("Enter");
    await fed.getByText("disabl").waitFor();
    await tab.test("function-errors", "streams_stg_green").fill("6");
    await tab.test("function-set", "streams_stg_green").tap();
    await tab.test("function", "streams_stg_green").getByText("5 % err").waitFor();
    assert.equal(await sideways(page), 0);
  });
}
