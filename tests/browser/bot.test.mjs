// The page with the bot itself behind it, as somebody sees it who tries the demo. `node --test tests/browser/bot.test.mjs`.
//
// Every story has a demo of its own: a workspace in which nobody has done anything yet. With `SIGNALBOX_PICTURES` (a folder) the stories also leave
// the pictures there that the documentation shows.

import { after, before } from "node:test";

import { browser } from "./harness.mjs";
import { deciding } from "./bot/deciding.mjs";
import { faults } from "./bot/faults.mjs";
import { forms } from "./bot/forms.mjs";
import { operations } from "./bot/operations.mjs";
import { pictures } from "./bot/pictures.mjs";
import { reach } from "./bot/reach.mjs";
import { refusals } from "./bot/refusals.mjs";

const stage = {};

before(async () => {
  stage.browser = await browser();
});

after(async () => {
  await stage.browser?.close();
});

deciding(stage);
refusals(stage);
forms(stage);
faults(stage);
reach(stage);
operations(stage);
if (process.env.SIGNALBOX_PICTURES) {
  pictures(stage, process.env.SIGNALBOX_PICTURES);
}
