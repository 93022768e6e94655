// Two offices do different things without a connection; a person settles it on the page.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Desk, browser } from "./desk.mjs";
import { Province } from "./node.mjs";

let chromium;
let province;
before(async () => {
  chromium = await browser();
  province = await Province.of("QNM-HOIAN", "QNM-HOIAN-CAMCHAU");
});
after(async () => {
  await chromium.close();
  await province.remove();
});

test("a conflict of two offices is told in words and settled with one press", async () => {
  const [district, commune] = ["QNM-HOIAN", "QNM-HOIAN-CAMCHAU"].map((id) => province.node(id));
  const path = await disputed(district, commune);
  // Without the centre, too, or it would carry the news of one to the other.
  await Promise.all([province.hub.stop(), district.stop()]);
  await once(commune, (desk) => desk.act(path, "withdrawn", { note: "xin rút" }));
  await commune.stop();
  await district.start();
  await once(district, (desk) => desk.act(path, "finished"));
  await Promise.all([commune.start(), province.hub.start()]);
  await Promise.all([commune.settled(), district.settled()]);

  const lower = await (await Desk.at(chromium, commune)).signIn();
  await lower.go(path);
  const told = await lower.text("section.errors");
  assert.match(told, /Hai việc mâu thuẫn/);
  assert.match(told, /Công dân rút hồ sơ, Phường Cẩm Châu/);
  assert.match(told, /Xử lý xong, Thành phố Hội An/);
  await lower.accessible();

  const upper = await (await Desk.at(chromium, district)).signIn();
  await upper.go("/review");
  await upper.accessible();
  await upper.page.locator(`a[href="${path}"]`).click();
  await upper.page.waitForSelector("section.errors");
  await upper.accessible();
  await upper.page.fill("section.errors textarea", "công dân đã nộp đơn xin rút trước");
  await upper.page.locator("section.errors button", { hasText: "Công dân rút hồ sơ" }).click();
  await upper.page.waitForSelector(".timeline strong:has-text('Quyết định việc có hiệu lực')");
  assert.equal(await upper.page.locator("section.errors").count(), 0);
  assert.match(await upper.text("dl"), /Công dân rút hồ sơ/);

  await commune.settled();
  await lower.go(path);
  assert.equal(await lower.page.locator("section.errors").count(), 0);
  assert.match(await lower.text("dl"), /Công dân rút hồ sơ/);
  await lower.close();
  await upper.close();
});

/** A dossier that the commune took in and the district works on. */
async function disputed(district, commune) {
  let path;
  await once(commune, async (desk) => {
    ({ path } = await desk.receive({
      procedure: "2.000815.H47",
      name: "Võ Thị Rút",
      "offices.competent": "QNM-HOIAN",
    }));
  });
  await commune.settled();
  await once(district, (desk) => desk.act(path, "in-process"));
  await Promise.all([commune.settled(), district.settled()]);
  return path;
}

/** Signs in at an office for one piece of work. */
async function once(node, work) {
  const desk = await (await Desk.at(chromium, node)).signIn();
  await work(desk);
  await desk.close();
}
