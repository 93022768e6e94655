// Silence of an office: at night it alarms nobody, by day it turns red and leads the board.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Desk, browser } from "./desk.mjs";
import { Clock, Province } from "./node.mjs";

/** A Tuesday and a Wednesday on which every office works. */
const [TUESDAY, WEDNESDAY] = ["2026-11-24", "2026-11-25"];
/** It links with the centre itself, as long as its district has not joined. */
const OFFICE = "QNM-HOIAN-CAMCHAU";
const LINE = `table.board tr:has(a[href="/board/offices/${OFFICE}"])`;

let chromium;
let clock;
let province;
let hub;
let office;
before(async () => {
  chromium = await browser();
  // What comes after three is due on the next day.
  clock = new Clock(`${TUESDAY}T15:30`);
  province = await Province.at(clock, OFFICE);
  hub = province.hub;
  office = province.node(OFFICE);
  const desk = await (await Desk.at(chromium, office)).signIn();
  await desk.receive({ name: "Huỳnh Thị Chờ" });
  await desk.close();
  await office.settled();
});
after(async () => {
  await chromium.close();
  await province.remove();
});

/** What the board says of the office, once it says `state`. */
function stands(state, minute) {
  return hub.until(`the office is ${state} at ${minute}`, () => {
    const board = hub.command("board");
    const row = board.offices.find((row) => row.office === OFFICE);
    const isNow = board.at_ms >= Date.parse(`${minute}:00+07:00`);
    return isNow && row.standing.state === state && { board, row };
  });
}

test("an office that is silent in its working hours is red until it is back", async () => {
  clock.set(`${TUESDAY}T17:30`);
  await stands("settled", `${TUESDAY}T17:30`);
  await office.stop();
  await stands("resting", `${TUESDAY}T17:30`);
  clock.set(`${WEDNESDAY}T06:00`);
  const night = await stands("resting", `${WEDNESDAY}T06:00`);
  assert.equal(night.row.at_risk, 0, "nobody was at work");
  clock.set(`${WEDNESDAY}T09:00`);
  const day = await stands("cut-off", `${WEDNESDAY}T09:00`);
  assert.equal(day.row.at_risk, 1, "a citizen's due lies behind the silence");
  assert.equal(day.board.offices[0].office, OFFICE, "it leads the list");

  const desk = await (await Desk.at(chromium, hub)).signIn();
  await desk.go("/board");
  assert.match(await desk.text("table.board tbody tr"), /Cẩm Châu/, "it leads the page");
  assert.match(await desk.text(`${LINE} .state.cut-off`), /▲ Mất kết nối/);
  assert.match(await desk.text(LINE), /im lặng 2 giờ/);
  assert.equal(await desk.text(`${LINE} td.late`), "1");
  assert.deepEqual(await bad(desk), ["1 đơn vị mất kết nối", "1 hẹn trả có nguy cơ"]);
  for (const red of [`${LINE} .state.cut-off`, `${LINE} td.late`, ".counts .bad b"]) {
    assert.ok(isRed(await colour(desk, red)), `${red} is ${await colour(desk, red)}`);
  }
  await desk.accessible();
  await desk.go("/board/tree");
  assert.match(await desk.text(".tree li.cut-off"), /Cẩm Châu/);
  await desk.accessible();
  await desk.go(`/board/offices/${OFFICE}`);
  assert.match(await desk.text("dl .state.cut-off"), /Mất kết nối/);
  await desk.accessible();

  await desk.go("/board");
  await office.start();
  await stands("settled", `${WEDNESDAY}T09:00`);
  // Nobody presses anything: the page asks by itself.
  await desk.page.waitForSelector(`${LINE} .state.settled`);
  assert.deepEqual(await bad(desk), []);
  await desk.close();
});

/** The alarming ones of the four numbers. */
async function bad(desk) {
  const numbers = await desk.page.locator(".counts .bad").allInnerTexts();
  return numbers.map((number) => number.replace("\n", " "));
}

function colour(desk, selector) {
  const of = (it) => getComputedStyle(it).color;
  return desk.page.locator(selector).first().evaluate(of);
}

function isRed(colour) {
  const [red, green, blue] = colour.match(/\d+/g).map(Number);
  return red > 120 && red > 2 * green && red > 2 * blue;
}
