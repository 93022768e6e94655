// The operator at the hub watches over the offices below, lets new ones in, and sees who is missing.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Desk, browser } from "./desk.mjs";
import { Node, Province } from "./node.mjs";

let chromium;
let province;
let hub;
before(async () => {
  chromium = await browser();
  province = await Province.of("QNM-HOIAN", "QNM-HOIAN-CAMCHAU");
  hub = province.hub;
  const desk = await (await Desk.at(chromium, province.node("QNM-HOIAN-CAMCHAU"))).signIn();
  await desk.receive({ name: "Huỳnh Thị Bảng" });
  await desk.close();
  await province.node("QNM-HOIAN-CAMCHAU").settled();
  // From now on its operator decides on everybody who wants to join.
  await hub.stop();
  hub.environment = { LIENTHONG_JOIN_APPROVAL: "manual" };
  await hub.start();
  for (const office of ["QNM-HOIAN", "QNM-HOIAN-CAMCHAU"]) {
    await hub.until(`the board knows ${office}`, () => stands(office, "settled"));
  }
});
after(async () => {
  await chromium.close();
  await province.remove();
});

/** What the board says of an office, asked as a program does. */
async function stands(office, state) {
  const desk = await signedIn();
  const answer = await desk.request.get(`${hub.site}/api/v1/board`);
  const { offices } = await answer.json();
  return offices.find((row) => row.office === office)?.standing.state === state;
}

let program;
/** One session for all the asking of this file: each log-in costs time and memory. */
async function signedIn() {
  if (!program) {
    program = await (await Desk.at(chromium, hub)).signIn();
  }
  return program.page;
}

const PAGES = [
  "/board",
  "/board?all=1",
  "/board/tree",
  "/board/offices/QNM-HOIAN",
  "/board/offices/QNM-HOIAN-CAMCHAU",
  "/board/offices/QNM-TAMKY",
  "/board/requests",
  "/board/rollout",
  "/board/rollout?open=QNM-HOIAN",
];

for (const language of ["vi", "en"]) {
  for (const width of [1280, 320]) {
    test(`every page of the board is one that everybody can use, in ${language}, ${width} px`, async () => {
      const desk = await (await Desk.at(chromium, hub, { language, width })).signIn();
      for (const path of PAGES) {
        await desk.go(path);
        assert.equal(await desk.language(), language, path);
        assert.doesNotMatch(await desk.text("body"), /\[[a-z]+[.][a-z._-]+\]/, "a word is missing");
        await desk.fits();
        await desk.accessible();
      }
      await desk.close();
    });
  }
}

test("pages of the board keep within their budget", async () => {
  const page = await signedIn();
  for (const path of PAGES) {
    const answer = await page.request.get(hub.site + path);
    const bytes = gzipSync(await answer.body()).length;
    assert.ok(bytes <= 30_000, `${path} has ${bytes} bytes, the limit is 30000`);
  }
});

test("an office that is cut off shows on the board and comes back", async () => {
  const office = province.node("QNM-HOIAN");
  const desk = await (await Desk.at(chromium, hub)).signIn();
  await desk.go("/board");
  assert.match(await desk.text(line("QNM-HOIAN")), /Đã khớp/);
  assert.match(await desk.text(".counts"), /3 \/ 3/);
  await office.stop();
  // Nobody presses anything: the page asks by itself.
  await desk.page.waitForSelector(`${line("QNM-HOIAN")} .state:is(.resting, .cut-off)`);
  await desk.accessible();
  await desk.go("/board/offices/QNM-HOIAN");
  assert.match(await desk.text("main"), /Mất kết nối/);
  await desk.go("/board/tree");
  await desk.page.waitForSelector(".tree li:is(.resting, .cut-off)");
  await office.start();
  await hub.until("the board has it back", () => stands("QNM-HOIAN", "settled"));
  await desk.go("/board/offices/QNM-HOIAN");
  assert.match(await desk.text("main .done"), /Hai bên giữ cùng \d+ thay đổi/);
  const turns = await desk.page.locator("td .state").allInnerTexts();
  assert.ok(turns.length >= 3, "the history keeps what happened");
  await desk.close();
});

test("a request to join is approved on the page, another is refused", async () => {
  const desk = await (await Desk.at(chromium, hub)).signIn();
  const code = await invite(desk, "QNM-TAMKY");
  const node = new Node("QNM-TAMKY");
  province.nodes.push(node);
  const joining = node.joins(code);
  await waitsFor(desk, "Tam Kỳ");
  await desk.accessible();
  await desk.press("form[aria-labelledby] button[value=approve]");
  assert.equal(await desk.page.locator("form[aria-labelledby]").count(), 0);
  await joining;
  await node.start();
  await hub.until("the board has it", () => stands("QNM-TAMKY", "settled"));

  const stranger = new Node("QNM-DIENBAN");
  province.nodes.push(stranger);
  const refused = stranger.joins(await invite(desk, "QNM-DIENBAN"));
  const told = assert.rejects(refused, /code-refused|từ chối|refused/);
  await waitsFor(desk, "Điện Bàn");
  await desk.press("form[aria-labelledby] button[value=refuse]");
  await told;
  assert.match(await desk.text("table"), /Đã từ chối/);
  await desk.go("/board/rollout");
  assert.match(await desk.text("main"), /Tam Kỳ/);
  await desk.close();
});

test("a code that was withdrawn on the page lets nobody in", async () => {
  const desk = await (await Desk.at(chromium, hub)).signIn();
  const code = await invite(desk, "QNM-DAILOC");
  await desk.go("/board/requests");
  assert.ok(!(await desk.page.content()).includes(code), "a code is shown once");
  await desk.press('button[value=withdraw][aria-label*="Đại Lộc"]');
  assert.equal(await desk.page.locator("button[value=withdraw]").count(), 0);
  assert.match(await desk.text('tr:has-text("Đại Lộc")'), /Đã thu lại/);
  await desk.accessible();
  const late = new Node("QNM-DAILOC");
  province.nodes.push(late);
  await assert.rejects(late.joins(code), /withdrew this code/);
  await desk.close();
});

test("the readiness list is ticked on the page, which says who did", async () => {
  const desk = await (await Desk.at(chromium, hub, { script: false })).signIn();
  await desk.go("/board/rollout");
  const row = "tr:has(#at-QNM-HOIAN)";
  await desk.page.locator(`${row} summary`).click();
  await desk.press(`${row} button[name=tick][value=line]`);
  const line = `${row} li:has(button[value=line])`;
  assert.match(await desk.text(line), /Có đường truyền: có\s+cb-an, \d\d:\d\d/);
  await desk.press(`${row} button[name=untick][value=line]`);
  assert.match(await desk.text(line), /Có đường truyền: chưa\s+cb-an, \d\d:\d\d/);
  await desk.close();
});

test("without scripts the board is read, opened and followed", async () => {
  const desk = await (await Desk.at(chromium, hub, { script: false })).signIn();
  await desk.page.locator('nav a[href="/board"]').click();
  await desk.page.locator(`${line("QNM-HOIAN-CAMCHAU")} a`).click();
  assert.match(await desk.text("h1"), /Cẩm Châu/);
  assert.match(await desk.text("dl"), /1 hồ sơ/);
  await desk.page.locator('.tabs a[href="/board/tree"]').click();
  assert.match(await desk.text(".tree"), /Hội An/);
  await desk.close();
});

test("with the keyboard alone the operator reaches an office", async () => {
  const desk = await (await Desk.at(chromium, hub)).signIn();
  await desk.go("/board");
  const { keyboard } = desk.page;
  const wanted = 'a[href="/board/offices/QNM-HOIAN"]';
  for (let presses = 0; presses < 60; presses += 1) {
    await keyboard.press("Tab");
    if (await desk.page.evaluate((it) => document.activeElement.matches(it), wanted)) break;
  }
  const outline = await desk.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none");
  // The page asks for itself anew while somebody is on their way through it.
  await Promise.all([
    desk.page.waitForResponse((answer) => answer.url().endsWith("/board/live")),
    desk.page.evaluate(() => htmx.trigger("#board", "refresh")),
  ]);
  await desk.page.waitForFunction((it) => document.activeElement.matches(it), wanted);
  await keyboard.press("Enter");
  await desk.page.waitForSelector("h1:has-text('Hội An')");
  await desk.close();
});

test("a commune has no board in its navigation", async () => {
  const desk = await (await Desk.at(chromium, province.node("QNM-HOIAN-CAMCHAU"))).signIn();
  assert.equal(await desk.page.locator('nav a[href="/board"]').count(), 0);
  await desk.close();
});

function line(office) {
  return `table.board tr:has(a[href="/board/offices/${office}"])`;
}

async function invite(desk, office) {
  await desk.go("/board/requests");
  await desk.fill({ office, hours: "2" });
  await desk.press("button[value=invite]");
  await desk.accessible();
  await desk.fits();
  // Whoever joins has the picture: a telephone reads from it what stands above it in letters.
  const read = await desk.qr("figure.qr svg");
  assert.equal(read, await desk.text(".once"));
  return read;
}

async function waitsFor(desk, name) {
  await hub.until(`${name} waits`, async () => {
    await desk.go("/board/requests");
    return (await desk.page.locator(`form[aria-labelledby]:has-text("${name}")`).count()) > 0;
  });
}
