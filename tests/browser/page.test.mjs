// The page in a real browser, against the sandbox and a small app. `node --test tests/browser/page.test.mjs`.

import { after, before } from "node:test";

import { browser, Tab, world } from "./harness.mjs";
import { blocks } from "./page/blocks.mjs";
import { looks } from "./page/looks.mjs";
import { modals } from "./page/modals.mjs";
import { panels } from "./page/panels.mjs";
import { reach } from "./page/reach.mjs";
import { talking } from "./page/talking.mjs";

/** What the tests share: one sandbox, one app, one browser; every test opens its own tabs. */
const stage = {
  async open(options) {
    return Tab.open(this.browser, this.world.url, options);
  },
  get app() {
    return this.world.app;
  },
  get url() {
    return this.world.url;
  },
};

before(async () => {
  stage.world = await world();
  stage.browser = await browser();
});

after(async () => {
  await stage.browser?.close();
  await stage.world?.stop();
});

blocks(stage);
modals(stage);
talking(stage);
panels(stage);
reach(stage);
looks(stage);
