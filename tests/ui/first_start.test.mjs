// An empty folder becomes a node in a browser: one founds a federation, another joins it.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Desk, browser } from "./desk.mjs";
import { Node, OFFICER, PASSWORD, PROVINCE } from "./node.mjs";

let chromium;
before(async () => (chromium = await browser()));
after(() => chromium.close());

for (const language of ["vi", "en"]) {
  test(`two empty folders found and join a federation, in ${language}`, async () => {
    const [hub, office] = [new Node("QNM-HCC"), new Node("QNM-HOIAN")];
    try {
      await found(hub, language);
      const drawn = `${hub.folder}/code.svg`;
      const code = hub.say(["invite", office.office, "--qr", drawn]).match(/[A-Z0-9-]{60,}/)[0];
      await join(office, language, language === "vi" ? code : await photograph(drawn));
      await office.settled();
      assert.equal(office.command("status").office, "QNM-HOIAN");
    } finally {
      await office.remove();
      await hub.remove();
    }
  });
}

async function found(hub, language) {
  const desk = await opened(hub, language);
  assert.notEqual(await desk.page.inputValue("#secret"), "", "the code came behind the #");
  await desk.page.fill("#secret-found", await desk.page.inputValue("#secret"));
  await desk.page.setInputFiles("#province", PROVINCE);
  await desk.page.locator("form[action='/setup/found'] button").click();
  await administrate(desk);
  await desk.close();
}

/** What a telephone would take of a QR code on a screen. */
async function photograph(file) {
  const page = await chromium.newPage();
  await page.setContent(readFileSync(file, "utf8"));
  const buffer = await page.locator("svg").screenshot({ type: "jpeg" });
  await page.close();
  return { name: "ảnh.jpg", mimeType: "image/jpeg", buffer };
}

/** Joins with a code that is typed, or with the picture of one. */
async function join(office, language, code) {
  const desk = await opened(office, language);
  const isTyped = typeof code === "string";
  if (isTyped) await desk.page.fill("#code", `${code.slice(0, -4)}AAAA`);
  else await desk.page.setInputFiles("#picture", PROVINCE);
  await desk.press("form[action='/setup/code'] button");
  await desk.accessible();
  assert.equal(await desk.page.locator("[aria-invalid=true]").count(), 1, "what is no code");
  await desk.page.fill("#secret", secret(office));
  if (isTyped) await desk.page.fill("#code", code);
  else await desk.page.setInputFiles("#picture", code);
  await desk.press("form[action='/setup/code'] button");
  const trust = await desk.text(".box");
  assert.match(trust, /QNM-HOIAN/);
  assert.match(trust, /127\.0\.0\.1:\d+/);
  await desk.accessible();
  await desk.page.fill("#secret", secret(office));
  await desk.page.locator("form[action='/setup/join'] button").first().click();
  await administrate(desk);
  await desk.page.waitForSelector("#sync");
  await desk.close();
}

async function opened(node, language) {
  await node.start();
  await node.until("the opening code", () => node.opening);
  const desk = await Desk.at(chromium, node);
  await desk.page.goto(node.opening);
  if (language === "en") await desk.page.locator(".who button[name=to]").click();
  await desk.page.goto(node.opening);
  assert.equal(await desk.language(), language);
  await desk.accessible();
  return desk;
}

/** Waits until the node runs, makes the first administrator and arrives at the desk. */
async function administrate(desk) {
  await desk.page.waitForSelector("#officer", { timeout: 30_000 });
  await desk.accessible();
  await desk.page.fill("#secret", secret(desk.node));
  await desk.page.fill("#officer", OFFICER);
  await desk.page.fill("#password", "ngắn");
  await desk.page.fill("#again", "ngắn");
  await desk.press();
  assert.equal(await desk.page.locator(".errors li").count(), 1, "a short password");
  await desk.page.fill("#secret", secret(desk.node));
  await desk.page.fill("#password", PASSWORD);
  await desk.page.fill("#again", PASSWORD);
  await desk.press();
  await desk.page.waitForSelector(".counts");
  await desk.accessible();
}

function secret(node) {
  return new URL(node.opening).hash.slice(1);
}
