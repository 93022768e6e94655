// An officer at a browser: what people do at the pages, with what is watched in every test.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import jsQR from "jsqr";
import { chromium } from "playwright-core";
import assert from "node:assert/strict";
import { OFFICER, PASSWORD } from "./node.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
/** WCAG 2.2 AA and what axe calls good practice. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Debian's Chromium. A container as root has no sandbox to give. */
export function browser() {
  const executablePath = process.env.CHROMIUM ?? CHROMIUM.find(existsSync);
  assert.ok(executablePath, "apt-get install chromium");
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--lang=vi"] });
}

/** A browser window of one officer at one node. */
export class Desk {
  static async at(chromium, node, { script = true, width = 1280, language } = {}) {
    const desk = new Desk();
    desk.node = node;
    desk.complaints = [];
    desk.context = await chromium.newContext({
      javaScriptEnabled: script,
      viewport: { width, height: 900 },
      locale: "vi-VN",
      timezoneId: "Asia/Ho_Chi_Minh",
    });
    desk.page = await desk.context.newPage();
    desk.watch(node.site);
    if (language) await desk.choose(language);
    return desk;
  }

  /** Notes whatever no page may do: ask others, break its own policy, run what somebody typed. */
  watch(site) {
    const { page, complaints } = this;
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(site) && !url.startsWith("data:")) complaints.push(`asks ${url}`);
    });
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    page.on("console", (line) => {
      const isRefusal = /status of (401|403|404|409|422|429)/.test(line.text());
      if (line.type() === "error" && !isRefusal) complaints.push(line.text());
    });
  }

  async go(path) {
    return this.page.goto(this.node.site + path);
  }

  /** Changes the language by its button; it holds for this browser. */
  async choose(language) {
    await this.go("/login");
    if ((await this.language()) === language) return;
    await this.page.locator(".who button[name=to]").click();
    assert.equal(await this.language(), language);
  }

  language() {
    return this.page.locator("html").getAttribute("lang");
  }

  async signIn(officer = OFFICER, password = PASSWORD) {
    await this.go("/login");
    await this.page.fill("#officer", officer);
    await this.page.fill("#password", password);
    await this.press();
    return this;
  }

  /** Sends the form of the page by its main button and waits for the page after. */
  async press(button = "main form button:not([hidden])") {
    await this.page.locator(button).first().click();
    await this.page.waitForLoadState("load");
  }

  /** Takes a dossier in and answers with its code, its address and its receipt's text. */
  async receive({ procedure = "1.001193.H47", name, ...fields }) {
    await this.go(`/receive?procedure=${procedure}`);
    await this.fill({ "applicant.name": name, ...fields });
    await this.press("button[name=do][value=save]");
    return this.receipt();
  }

  async receipt() {
    await this.page.waitForSelector(".paper");
    const path = new URL(this.page.url()).pathname.replace(/\/form\/.*/, "");
    const text = await this.page.locator(".paper").innerText();
    return { path, text, code: await this.qr() };
  }

  async fill(fields) {
    for (const [name, value] of Object.entries(fields)) {
      const field = this.page.locator(`[name="${name}"]:not([type=hidden])`);
      const kind = await field.first().evaluate((it) => it.tagName + (it.type ?? ""));
      if (kind.startsWith("SELECT")) await field.selectOption(value);
      else if (kind.endsWith("checkbox")) await field.setChecked(Boolean(value));
      else await field.fill(value);
    }
  }

  /** Does one act on the dossier of a path, from its page. */
  async act(path, kind, fields = {}) {
    await this.go(path);
    const link = this.page.locator(`a[href="${path}/act/${kind}"]`);
    if (!(await link.isVisible())) await this.page.locator("details summary").first().click();
    await link.click();
    await this.page.waitForSelector("form.sheet");
    await this.fill(fields);
    await this.press();
    assert.equal(new URL(this.page.url()).pathname, path, await this.text("main"));
  }

  text(selector) {
    return this.page.locator(selector).first().innerText();
  }

  /** What the code on the paper says to a phone. */
  async qr(selector = "svg.qr") {
    const picture = await this.page.locator(selector).screenshot();
    const blank = await this.context.newPage();
    const { data, width, height } = await blank.evaluate(async (png) => {
      const image = new Image();
      image.src = `data:image/png;base64,${png}`;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      const pen = canvas.getContext("2d");
      pen.drawImage(image, 0, 0);
      const { data, width, height } = pen.getImageData(0, 0, image.width, image.height);
      return { data: Array.from(data), width, height };
    }, picture.toString("base64"));
    await blank.close();
    return jsQR(Uint8ClampedArray.from(data), width, height)?.data;
  }

  /** Asks axe about the page as it stands. */
  async accessible() {
    const rules = JSON.stringify({ runOnly: RULES });
    const { violations } = await this.page.evaluate(`${AXE};axe.run(document,${rules})`);
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}: ${nodes[0].failureSummary}`);
    assert.deepEqual(found, [], this.page.url());
  }

  /** Whether the page is wider than the window. */
  async fits() {
    const [wide, seen] = await this.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return [scrollWidth, clientWidth];
    });
    assert.ok(wide <= seen, `${this.page.url()} is ${wide} px wide in ${seen} px`);
  }

  async close() {
    await this.context.close();
    assert.deepEqual(this.complaints, []);
  }
}
