// What a browser test stands on: a sandbox, an app behind it, and a real browser in front of it.
//
// With `SIGNALBOX_PAGE` (a running sandbox's address) the tests use that one, and the app listens where that sandbox sends, which
// `SIGNALBOX_APP` says (`127.0.0.1:8080` by default). Without it they start a sandbox of their own, `SIGNALBOX_SANDBOX` or the debug build.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { App } from "./app.mjs";

const VERSION = "1.65.1";
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The browser's driver, fetched into a cache of the person's once: nothing of it is committed. */
function playwright() {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "signalbox", "npm");
  const installed = join(cache, "node_modules", "playwright-core", "package.json");
  const require = createRequire(join(cache, "package.json"));
  if (!existsSync(installed) || require(installed).version !== VERSION) {
    mkdirSync(cache, { recursive: true });
    const npm = spawnSync("npm", ["install", "--prefix", cache, "--no-audit", "--no-fund", `playwright-core@${VERSION}`], { encoding: "utf8" });
    if (npm.status !== 0) {
      throw new Error(`npm could not fetch playwright-core ${VERSION}: ${npm.stderr}`);
    }
  }
  return require("playwright-core");
}

/** Starts the browser. */
export async function browser() {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`no browser at ${CHROMIUM}: install chromium, or say where it is in CHROMIUM`);
  }
  return playwright().chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
}

/** A sandbox with an app behind it: `{url, app, stop}`. */
export async function world() {
  const app = new App();
  if (process.env.SIGNALBOX_PAGE) {
    const [host, port] = (process.env.SIGNALBOX_APP ?? "127.0.0.1:8080").split(":");
    await app.listen(host, Number(port));
    app.sandbox = process.env.SIGNALBOX_PAGE.replace(/\/$/, "");
    return { url: app.sandbox, app, stop: () => app.close() };
  }
  const botUrl = await app.listen();
  const program = process.env.SIGNALBOX_SANDBOX ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", "signalbox-sandbox");
  if (!existsSync(program)) {
    throw new Error(`no sandbox at ${program}: run \`cargo build -p sandbox\`, or say where it is in SIGNALBOX_SANDBOX`);
  }
  const child = spawn(program, ["--listen", "127.0.0.1:0", "--bot-url", botUrl, "--no-rate-limits"], { env: { ...process.env, NO_COLOR: "1", RUST_LOG: "info" }, stdio: ["ignore", "pipe", "inherit"] });
  app.sandbox = await addressOf(child);
  const stop = async () => {
    child.kill();
    await app.close();
  };
  return { url: app.sandbox, app, stop };
}

/**
 * The demo, which is the sandbox and the bot in one: `{url, stop}`. Each has a store of its own, so none knows of another. `scenario` is a team whose
 * account and configuration it has.
 */
export async function demo({ scenario } = {}) {
  const program = process.env.SIGNALBOX_DEMO_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", "demo");
  if (!existsSync(program)) {
    throw new Error(`no demo at ${program}: run \`cargo build -p demo\`, or say where it is in SIGNALBOX_DEMO_BIN`);
  }
  const bodies = process.env.SIGNALBOX_BODIES ? ["--record-bodies", process.env.SIGNALBOX_BODIES] : [];
  const child = spawn(program, ["--listen", "127.0.0.1:0", ...(scenario ? ["--scenario", scenario] : []), ...bodies], { env: { ...process.env, NO_COLOR: "1", RUST_LOG: "error" }, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = await addressOf(child);
  const stop = async () => {
    child.kill("SIGINT");
    await ended;
  };
  return { url, stop };
}

/** The address that a program prints when it is open. */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(said.replace(/\u001b\[[0-9;]*m/g, ""));
      if (address) {
        resolve(address[0]);
      }
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`it ended with ${code} before it was open: ${said}`)));
  });
}

/** Does something through the control API; a refusal throws. */
export async function control(url, path, body) {
  const response = await fetch(`${url}/control${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(`${path}: ${answer.error}: ${answer.message}`);
  }
  return answer;
}

/** A tab that fails the test when the page throws, logs an error or asks for anything elsewhere. */
export class Tab {
  static async open(where, url, { as = "U0ANN", at = "C0DEPLOYS", phone = false, dark = false, reduced = false } = {}) {
    const context = await where.newContext({
      viewport: phone ? { width: 390, height: 844 } : { width: 1440, height: 900 },
      isMobile: phone,
      hasTouch: phone,
      colorScheme: dark ? "dark" : "light",
      reducedMotion: reduced ? "reduce" : "no-preference",
      timezoneId: "UTC",
    });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const tab = new Tab(context, page, url);
    await page.goto(`${url}/?as=${as}#${at}`);
    await tab.test("channel", at).first().waitFor({ state: "attached" });
    return tab;
  }

  constructor(context, page, url) {
    this.context = context;
    this.page = page;
    this.url = url;
    this.complaints = [];
    /** Console errors that a test provokes on purpose, as patterns. */
    this.expected = [];
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && this.complaints.push(message.text()));
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith("data:")) {
        this.complaints.push(`asked for ${request.url()}`);
      }
    });
  }

  /** The elements with a `data-test` name, and `data-value` if given. */
  test(name, value) {
    return this.page.locator(`[data-test="${name}"]${value === undefined ? "" : `[data-value="${value}"]`}`);
  }

  /** The message that holds a text. */
  message(text) {
    return this.test("message").filter({ hasText: text }).last();
  }

  /** Opens the thread of a message. One that is drawn anew between press and release loses the click: whoever sees that nothing opens clicks again. */
  async opensThread(title) {
    for (let again = 0; again < 3; again += 1) {
      await this.message(title).locator("[data-test=open-thread]").click();
      const opened = this.test("thread-composer").waitFor({ timeout: 3_000 });
      if (await opened.then(() => true, () => false)) {
        return;
      }
    }
    throw new Error(`the thread of ${title} does not open`);
  }

  /** Types into the composer and sends it. */
  async says(text, where = "composer") {
    await this.test(where).fill(text);
    if ((await this.test(where).getAttribute("aria-expanded")) === "true") {
      await this.page.keyboard.press("Escape");
    }
    await this.test(where).press("Enter");
  }

  /** Looks through another person's eyes. */
  async becomes(user) {
    await this.test("user-switcher").click();
    await this.test("switch-to", user).click();
  }

  /** Closes the tab; what the page complained of fails the test. */
  async close() {
    await this.context.close();
    const complaints = this.complaints.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
    if (complaints.length > 0) {
      throw new Error(`the page complained:\n${complaints.join("\n")}`);
    }
  }
}
