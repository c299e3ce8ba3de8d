// The pictures that the documentation shows, made by the demo as it is: `SIGNALBOX_PICTURES=docs/images node --test tests/browser/bot.test.mjs`.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { small } from "../png.mjs";
import { copies } from "./operations.mjs";
import { SETTLED, presses, shot, story } from "./town.mjs";

export function pictures(stage, folder) {
  const at = (name) => join(folder, name);

  story(stage, "pictures: a release from its card to its end", {}, async (town) => {
    const { tab, page } = town;
    const card = await town.waits();
    await page.screenshot({ path: at("page.png") });
    await town.control("/aws/hold", { pipeline: "wallet-service", stage: "Deploy", held: true });
    await town.bothApprove();
    await town.card("Deploy running");
    await still(tab);
    writeFileSync(at("card-following.png"), small(await shot(card)));
    await town.control("/aws/hold", { pipeline: "wallet-service", stage: "Deploy", held: false });
    await town.passes(60);
    await town.card("released");
    await still(tab);
    writeFileSync(at("card-ended.png"), small(await shot(card)));
  });

  story(stage, "pictures: on a phone", { phone: true }, async (town) => {
    await town.waits();
    await town.passes(SETTLED);
    await still(town.tab);
    // As tall as the card, so that its first line and its buttons are both in the picture.
    await town.page.setViewportSize({ width: 390, height: 980 });
    await town.page.screenshot({ path: at("phone.png") });
  });

  story(stage, "pictures: a lost answer", { dark: true }, async (town) => {
    const { tab, page } = town;
    await tab.test("close-aws").click();
    await town.waits();
    await town.opensDrawer();
    await tab.test("break-lose-approval").click();
    await town.bothApprove();
    await town.card("CodePipeline confirmed");
    await tab.test("journal-row", "answered").waitFor();
    await still(tab);
    await page.screenshot({ path: at("break-something.png") });
  });

  story(stage, "pictures: what a team's account has", { scenario: "ef-cms", as: "U0CARLA" }, async (town) => {
    const { tab, page } = town;
    await town.opensResources();
    await tab.says("/deploy run migrate stg source=alpha destination=beta");
    await copies(town);
    await still(tab);
    writeFileSync(at("resources.png"), small(await page.screenshot()));
  });

  operationPictures(stage);
}

/** What operations look like, besides those that the tests tell of anyhow. */
function operationPictures(stage) {
  story(stage, "pictures: a switch that fails is undone", { scenario: "ef-cms", as: "U0CARLA" }, async (town) => {
    await town.control("/aws/deed", { region: "us-east-1", codebuild: { next: { project: "ef-cms-switch-ui", plan: { outcome: "FAILED", seconds: 60, lines: ["Error: updating the distribution: PreconditionFailed: the If-Match version is missing or not valid"] } } } });
    await town.tab.says("/deploy run switch stg");
    const asked = await town.inTime(60, "switch · ef-cms → stg", "from blue to green?");
    await town.tab.becomes("U0BRUNO");
    await presses(town, asked, "confirm", { asks: true });
    await town.pictures("ef-cms-10-undone", await town.inTime(30, "switch · ef-cms → stg · undone"));
  });

  story(stage, "pictures: an environment's first deployment, and what speaks against a migration", { scenario: "ef-cms", as: "U0CARLA" }, async (town) => {
    const { tab } = town;
    const line = "│ Error: [ERR]: Error building changeset: InvalidChangeBatch: [Tried to create resource record set [name='_243f260ea635.exp1.court.example.org.', type='CNAME'] but it already exists]";
    await town.control("/aws/deed", { region: "us-east-1", codebuild: { next: { project: "ef-cms-environment-specific", plan: { outcome: "FAILED", seconds: 30, lines: [line] } } } });
    await tab.says("/deploy run first-deployment exp1 version=alpha");
    const failed = await town.inTime(30, "first-deployment · ef-cms → exp1", "Known as “a certificate's validation record is there already”");
    await presses(town, failed, "remedy", { asks: true });
    await town.pictures("ef-cms-2-asked", await town.inTime(5, "first-deployment · ef-cms → exp1", "waits for a person"));
    await town.control("/aws/deed", { region: "us-west-1", dynamodb: { fill: { table: "efcms-stg-beta", count: 1 } } });
    await tab.says("/migrate plan stg source=alpha destination=beta");
    await town.pictures("ef-cms-1-in-the-way", await town.inTime(2, "plan of migrate", "1 thing is in the way"));
  });

  story(stage, "pictures: a schema's migration, and the way back", { scenario: "hathor", as: "U0CARLA" }, async (town) => {
    const { tab } = town;
    const card = (...words) => town.inTime(10, "wallet → mainnet", ...words);
    // What is live is told with the first request for approval.
    await town.waits();
    await tab.says("/migrate plan mainnet ref=v1.4.1");
    await town.pictures("hathor-2-refused", await card("plan of migrate", "would be refused"));
    await tab.says("/migrate plan mainnet ref=v1.4.2");
    await town.pictures("hathor-1-plan", await card("plan of migrate", "1 migration is pending"));
    await tab.says("/migrate start mainnet ref=v1.4.2");
    const asked = await card("migrate · wallet → mainnet · step 3 of 4", "Run the migrations of v1.4.2 on mainnet?");
    await town.pictures("hathor-3-second-person", asked);
    await tab.becomes("U0BRUNO");
    await presses(town, asked, "confirm", { asks: true });
    await town.pictures("hathor-4-under-way", await card("hathor-wallet-service-migrate", "is in BUILD"));
    await town.pictures("hathor-5-done", await card("migrate · wallet → mainnet · done"));
    await tab.becomes("U0CARLA");
    await tab.says("/deploy run rollback mainnet version=v1.4.1");
    const back = await card("Deploy v1.4.1 to mainnet again?");
    await tab.becomes("U0BRUNO");
    await presses(town, back, "confirm", { asks: true });
    await town.pictures("hathor-6-rolled-back", await town.inTime(30, "rollback · wallet → mainnet · done"));
  });

  story(stage, "pictures: a push through stage to production", { scenario: "balrog", as: "U0CARLA" }, async (town) => {
    const { tab } = town;
    const card = (...words) => town.inTime(30, "push · balrog → production", ...words);
    const ticks = async (title, evidence) => {
      const asked = await card(`: ${title} · waits for a person`);
      await presses(town, asked, "confirm");
      await town.fillsIn(evidence);
    };
    await tab.says("/deploy run push production --plan version=v2.11 schema=before");
    await town.pictures("balrog-1-plan", await card("plan of push", "changes nothing"));
    await tab.says("/deploy run push production version=v2.11 schema=before");
    await town.pictures("balrog-2-asked", await card(": Now is a good time · waits for a person"));
    await ticks("Now is a good time", "Rita is on duty: nothing is under way");
    await town.pictures("balrog-3-stage", await card(": Roll v2.11 out to stage", "is in BUILD"));
    await card("step 13 of 26");
    await town.passes(25 * 3600);
    await ticks("A person has verified the change in stage", "a release blob of the new kind; Sentry is quiet");
    const asked = await card("step 17 of 26", "Push v2.11 to production,");
    await town.pictures("balrog-4-second-person", asked);
    await tab.becomes("U0BRUNO");
    await presses(town, asked, "confirm", { asks: true });
    await card(": A person has verified the change in production · waits for a person");
    await tab.becomes("U0CARLA");
    await ticks("A person has verified the change in production", "the same, on a channel that nobody uses");
    await town.pictures("balrog-5-done", await card("· done"));
  });
}

/** The pointer away from everything that lights up under it, and the newest in view. */
async function still(tab) {
  await tab.page.mouse.move(0, 0);
  await tab.page.evaluate(() => document.activeElement?.blur());
}
