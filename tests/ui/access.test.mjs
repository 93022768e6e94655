// Whoever sits there: without scripts, with the keyboard alone, on a narrow screen, with a reader.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Desk, browser } from "./desk.mjs";
import { OFFICER, PASSWORD, Province } from "./node.mjs";

let chromium;
let province;
let office;
let dossier;
before(async () => {
  chromium = await browser();
  province = await Province.of("QNM-HOIAN", "QNM-HOIAN-CAMCHAU");
  office = province.node("QNM-HOIAN-CAMCHAU");
  const desk = await (await Desk.at(chromium, office)).signIn();
  dossier = (await desk.receive({ name: "Huỳnh Thị Đầy Đủ", note: "hồ sơ mẫu" })).path;
  await desk.act(dossier, "in-process");
  await desk.act(dossier, "consulted", {
    to_office: "QNM-HOIAN",
    note: "xin ý kiến về địa chỉ thường trú",
    due: "2027-01-05",
  });
  await desk.close();
});
after(async () => {
  await chromium.close();
  await province.remove();
});

/** The pages, in the order of the navigation, each with what is open on it. */
function pages() {
  return [
    "/",
    "/receive",
    "/receive?procedure=1.001193.H47",
    "/search",
    "/queue",
    "/queue?which=elsewhere",
    "/review",
    "/register",
    "/access",
    "/accounts",
    "/password",
    dossier,
    `${dossier}/act/supplement-asked`,
    `${dossier}/act/fee-paid`,
    `${dossier}/act/transferred`,
    `${dossier}/act/opinion-asked`,
    `${dossier}/form/receipt`,
    `${dossier}/form/slip`,
    "/no-such-page",
  ];
}

for (const language of ["vi", "en"]) {
  test(`every page is one that everybody can use, in ${language}`, async () => {
    const desk = await Desk.at(chromium, office, { language });
    await desk.go("/login");
    await desk.accessible();
    await desk.signIn();
    for (const path of pages()) {
      await desk.go(path);
      assert.equal(await desk.language(), language, path);
      assert.doesNotMatch(await desk.text("body"), /\[[a-z]+[.][a-z._]+\]/, "a word is missing");
      await desk.accessible();
    }
    await desk.go("/");
    await desk.page.locator("#lock button").click();
    await desk.page.waitForSelector("#password");
    await desk.accessible();
    await desk.close();
  });

  test(`every page fits into 320 px, in ${language}`, async () => {
    const desk = await (await Desk.at(chromium, office, { width: 320, language })).signIn();
    for (const path of pages()) {
      await desk.go(path);
      await desk.fits();
      await desk.accessible();
    }
    await desk.close();
  });
}

test("a form that comes back with errors is one that everybody can use", async () => {
  const desk = await (await Desk.at(chromium, office)).signIn();
  await desk.go("/receive?procedure=1.001193.H47");
  await desk.press("button[value=save]");
  await desk.page.waitForSelector("#applicant\\.name-wrong");
  await desk.accessible();
  const focused = await desk.page.evaluate(() => document.activeElement.className);
  assert.equal(focused, "errors", "the errors are read out first");
  await desk.go("/receive");
  await desk.press("button[value=new]");
  await desk.go(`${dossier}/act/supplement-asked`);
  await desk.press();
  await desk.page.waitForSelector("#reason-wrong");
  await desk.accessible();
  await desk.close();
});

test("without scripts a dossier is received, found, acted on and printed", async () => {
  const desk = await (await Desk.at(chromium, office, { script: false })).signIn();
  await desk.go("/receive");
  await desk.page.fill("#text", "khai sinh");
  await desk.press();
  await desk.page.locator("#found a").first().click();
  await desk.fill({ "applicant.id_number": "049011002233" });
  await desk.page.locator("button[value=due]").click();
  assert.match(await desk.text("#due"), /\d\d\/\d\d\/\d{4}/);
  await desk.page.locator("button[value=find]").click();
  assert.match(await desk.text("main [role=status]:not(#due)"), /Chưa có hồ sơ nào/);
  await desk.fill({ "applicant.name": "Đặng Không Lệnh" });
  await desk.page.locator("button[value=save]").click();
  const { path, text, code } = await desk.receipt();
  assert.ok(text.includes("Đặng Không Lệnh") && text.includes(code));
  await desk.act(path, "in-process");
  await desk.act(path, "finished");
  await desk.act(path, "returned");
  assert.match(await desk.text("dl"), /Đã trả kết quả/);
  await desk.page.locator(".who button[name=to]").click();
  assert.equal(await desk.language(), "en");
  await desk.close();
});

test("with the keyboard alone an officer signs in, receives and acts", async () => {
  const desk = await Desk.at(chromium, office);
  const { keyboard } = desk.page;
  await desk.go("/login");
  await tabTo(desk, "#officer");
  await keyboard.type(OFFICER);
  await tabTo(desk, "#password");
  await keyboard.type(PASSWORD);
  await keyboard.press("Enter");
  await desk.page.waitForSelector(".counts");
  await keyboard.press("Tab");
  assert.equal(await focused(desk, (it) => it.className), "skip", "the content is one key away");
  await tabTo(desk, 'nav a[href="/receive"]');
  await keyboard.press("Enter");
  await desk.page.waitForSelector("#text");
  await tabTo(desk, "#text");
  await keyboard.type("khai sinh");
  await desk.page.waitForSelector("#found a:text-is('Thủ tục đăng ký khai sinh')");
  await tabTo(desk, "#found a");
  await keyboard.press("Enter");
  await desk.page.waitForSelector("#reception");
  await tabTo(desk, '[name="applicant.name"]');
  await keyboard.type("Bùi Phím");
  await tabTo(desk, "button[value=save]");
  await keyboard.press("Enter");
  const { path } = await desk.receipt();
  await tabTo(desk, `a[href="${path}"]`);
  await keyboard.press("Enter");
  await desk.page.waitForSelector(".timeline");
  await tabTo(desk, `a[href="${path}/act/in-process"]`);
  await keyboard.press("Enter");
  await desk.page.waitForSelector("form.sheet");
  await tabTo(desk, "#do");
  await keyboard.press("Space");
  await desk.page.waitForSelector(".timeline");
  assert.match(await desk.text("dl"), /Đang xử lý/);
  await desk.close();
});

/** Presses Tab until an element has the focus, and makes sure that one sees which has it. */
async function tabTo(desk, selector) {
  for (let presses = 0; presses < 90; presses += 1) {
    if (await focused(desk, (it, wanted) => it.matches(wanted), selector)) {
      assert.notEqual(await focused(desk, (it) => getComputedStyle(it).outlineStyle), "none");
      return;
    }
    await desk.page.keyboard.press("Tab");
  }
  assert.fail(`the keyboard does not reach ${selector} at ${desk.page.url()}`);
}

function focused(desk, tell, wanted) {
  return desk.page.evaluate(`(${tell})(document.activeElement, ${JSON.stringify(wanted)})`);
}

test("pages keep within their budgets", async () => {
  const desk = await (await Desk.at(chromium, office)).signIn();
  const size = async (path) => {
    const answer = await desk.page.request.get(office.site + path);
    return gzipSync(await answer.body()).length;
  };
  for (const path of pages()) {
    const bytes = await size(path);
    assert.ok(bytes <= 30_000, `${path} has ${bytes} bytes, the limit is 30000`);
  }
  assert.ok((await size("/assets/style.css")) + (await size("/assets/portrait.css")) <= 12_000);
  assert.ok((await size("/assets/htmx.js")) + (await size("/assets/desk.js")) <= 26_000);
  await desk.close();
});

test("a printed page is the paper alone", async () => {
  const desk = await (await Desk.at(chromium, office)).signIn();
  await desk.go(`${dossier}/form/receipt`);
  await desk.page.emulateMedia({ media: "print" });
  for (const hidden of [".top", "nav", "#sync", "h1", ".buttons"]) {
    assert.equal(await desk.page.locator(hidden).first().isVisible(), false, hidden);
  }
  assert.ok(await desk.page.locator(".paper").isVisible());
  const pdf = await desk.page.pdf({ preferCSSPageSize: true });
  const sheets = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g);
  // How much goes on a sheet depends on the fonts of the machine.
  assert.ok(sheets.length <= 2, `a receipt takes ${sheets.length} sheets`);
  await desk.close();
});
