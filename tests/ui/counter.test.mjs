// A day at the counter: received, supplemented, finished, returned, in both languages.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Desk, browser } from "./desk.mjs";
import { Province } from "./node.mjs";

const DOSSIER = {
  name: "Nguyễn Thị Hạnh",
  "applicant.id_number": "049085001234",
  "applicant.phone": "0905123456",
  "applicant.address": "12 Trần Phú, Cẩm Châu, Hội An",
};
const STATUS = {
  vi: ["Được tiếp nhận", "Đang xử lý", "Yêu cầu bổ sung", "Đang xử lý", "Đã xử lý xong", "Đã trả kết quả"],
  en: ["Received", "In process", "Supplement asked", "In process", "Finished", "Returned"],
};

let chromium;
let province;
let office;
before(async () => {
  chromium = await browser();
  province = await Province.of("QNM-HOIAN", "QNM-HOIAN-CAMCHAU");
  office = province.node("QNM-HOIAN-CAMCHAU");
});
after(async () => {
  await chromium.close();
  await province.remove();
});

for (const language of ["vi", "en"]) {
  test(`a dossier goes from the receipt to the result, in ${language}`, async () => {
    const desk = await (await Desk.at(chromium, office, { language })).signIn();
    const { path, text, code } = await desk.receive(DOSSIER);
    assert.match(text, /GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ/);
    assert.match(text, new RegExp(`Tiếp nhận hồ sơ của: ${DOSSIER.name}`));
    assert.match(text, /Thời gian trả kết quả giải quyết hồ sơ: \d\d giờ \d\d phút, ngày/);
    assert.match(code, /^000\.06\.32\.H47-\d{6}-\d{4}$/);
    assert.ok(text.includes(code), "the QR code is the code of the paper");
    const expect = async (at) => {
      await desk.go(path);
      assert.match(await desk.text("dl"), new RegExp(`\\n${STATUS[language][at]}\\n`));
      await desk.accessible();
    };
    await expect(0);
    await desk.act(path, "in-process");
    await expect(1);
    await desk.act(path, "supplement-asked", { reason: "thiếu giấy chứng sinh" });
    await expect(2);
    await desk.go(`${path}/form/supplement`);
    assert.match(await desk.text(".paper"), /thiếu giấy chứng sinh/);
    await desk.act(path, "supplied");
    await expect(3);
    await desk.act(path, "finished");
    await expect(4);
    await desk.act(path, "returned");
    await expect(5);
    assert.equal(await desk.page.locator(".timeline > li").count(), 6);
    await known(province.hub, { path, language, code });
    await desk.close();
  });
}

/** The centre finds the dossier by its code, with the name masked, and sees that it is returned. */
async function known(hub, { path, language, code }) {
  await office.settled();
  const desk = await (await Desk.at(chromium, hub, { language })).signIn();
  await desk.go("/search");
  await desk.page.fill("#text", code);
  await desk.press();
  await desk.page.waitForSelector("tbody tr");
  assert.match(await desk.text("tbody tr"), /N\*\*\* T\*\*\* H\*\*\*/);
  await desk.page.locator(`a[href="${path}"]`).click();
  await desk.page.waitForSelector(".timeline");
  assert.match(await desk.text("dl"), new RegExp(STATUS[language][5]));
  assert.match(await desk.text("dl"), new RegExp(DOSSIER["applicant.id_number"]));
  await desk.close();
}

test("the due is shown before anything is saved", async () => {
  const desk = await (await Desk.at(chromium, office)).signIn();
  await desk.go("/receive");
  assert.equal(await desk.page.locator("#reception").count(), 0);
  await desk.page.locator("#text").pressSequentially("ket hon co yeu to");
  const offer = desk.page.locator("#found a", { hasText: "kết hôn có yếu tố nước ngoài" });
  await offer.first().click();
  await desk.page.waitForSelector("#due");
  assert.match(await desk.text("#due"), /hẹn trả kết quả lúc \d\d:\d\d \d\d\/\d\d\/\d{4}/);
  await desk.close();
});

test("pressing twice receives once", async () => {
  const desk = await (await Desk.at(chromium, office)).signIn();
  await desk.go("/receive?procedure=1.001193.H47");
  await desk.fill({ "applicant.name": "Trần Văn Đôi" });
  const fields = await desk.page.locator("#reception").evaluate((form) => {
    return new URLSearchParams([...new FormData(form), ["do", "save"]]).toString();
  });
  const send = () => {
    return desk.page.request.post(`${office.site}/receive`, {
      data: fields,
      maxRedirects: 0,
      headers: { origin: office.site, "content-type": "application/x-www-form-urlencoded" },
    });
  };
  const [first, second] = await Promise.all([send(), send()]);
  assert.equal(first.status(), 303);
  assert.equal(first.headers().location, second.headers().location);
  const { dossiers } = office.command("dossier", "list", "--text", "tran van doi");
  assert.equal(dossiers.length, 1);
  await desk.close();
});

test("a form that is half done survives a browser that dies", async () => {
  const desk = await (await Desk.at(chromium, office)).signIn();
  await desk.go("/receive?procedure=1.001193.H47");
  const kept = desk.page.waitForResponse((answer) => answer.status() === 204);
  await desk.fill({ "applicant.name": "Lê Thị Dở Dang" });
  await kept;
  await desk.close();
  const again = await (await Desk.at(chromium, office)).signIn();
  await again.go("/receive");
  assert.equal(await again.page.inputValue('[name="applicant.name"]'), "Lê Thị Dở Dang");
  await again.accessible();
  await again.press("button[value=new]");
  assert.equal(await again.page.locator('[name="applicant.name"]').count(), 0);
  await again.close();
});

test("an applicant is found again by number", async () => {
  const desk = await (await Desk.at(chromium, office)).signIn();
  const id_number = "049090004321";
  await desk.receive({ name: "Phạm Văn Quen", "applicant.id_number": id_number });
  await desk.go("/receive?procedure=1.001193.H47");
  await desk.fill({ "applicant.id_number": id_number });
  await desk.press("button[value=find]");
  await desk.page.waitForSelector(".found li");
  assert.doesNotMatch(await desk.text(".found li"), /Quen/, "lists mask names");
  await desk.press(".found button");
  await desk.page.waitForFunction(() => {
    return document.querySelector('[name="applicant.name"]')?.value === "Phạm Văn Quen";
  });
  await desk.close();
});
