// Makes the pictures of `deploy/screenshots`: `node screenshots.mjs`.
import { fileURLToPath } from "node:url";
import { Desk, browser } from "./desk.mjs";
import { Clock, Province } from "./node.mjs";

const FOLDER = fileURLToPath(new URL("../../deploy/screenshots", import.meta.url));

const chromium = await browser();
const clock = new Clock("2026-11-24T15:30");
const province = await Province.at(clock, "QNM-HOIAN", "QNM-HOIAN-CAMCHAU", "QNM-TAMKY");
try {
  const office = province.node("QNM-HOIAN-CAMCHAU");
  const desk = await (await Desk.at(chromium, office)).signIn();
  const take = (name) => desk.page.screenshot({ path: `${FOLDER}/${name}.png`, fullPage: true });
  const first = await desk.receive({
    name: "Nguyễn Thị Hạnh",
    "applicant.id_number": "049085001234",
    "applicant.phone": "0905123456",
    "applicant.address": "12 Trần Phú, Cẩm Châu, Hội An",
  });
  await take("receipt");
  await desk.act(first.path, "in-process");
  const second = await desk.receive({ name: "Trần Văn Bình" });
  await desk.act(second.path, "in-process");
  await desk.act(second.path, "supplement-asked", { reason: "thiếu giấy chứng sinh" });
  await desk.receive({ name: "Lê Minh Châu" });
  await office.settled();
  await desk.go("/");
  await take("today");
  await desk.go(second.path);
  await take("dossier");
  await desk.go("/receive?procedure=1.001193.H47");
  await take("receive");
  await desk.close();
  const silent = await (await Desk.at(chromium, province.node("QNM-TAMKY"))).signIn();
  await silent.receive({ procedure: "2.000815.H47", name: "Phạm Thị Dung" });
  await silent.close();
  await province.node("QNM-TAMKY").settled();
  await province.node("QNM-TAMKY").stop();
  // The silence is in office hours, with a citizen's due behind it.
  clock.set("2026-11-24T16:30");
  await province.hub.until("the silence shows", () => {
    return province.hub.command("board").numbers.at_risk > 0;
  });
  const board = await (await Desk.at(chromium, province.hub)).signIn();
  const look = (name) => board.page.screenshot({ path: `${FOLDER}/${name}.png`, fullPage: true });
  await board.go("/board");
  await board.page.waitForSelector(".state.cut-off");
  await look("board");
  await board.go("/board/tree");
  await look("tree");
  await board.go("/board/offices/QNM-HOIAN");
  await look("office");
  await board.go("/board/rollout");
  await look("rollout");
  await board.close();
} finally {
  await chromium.close();
  await province.remove();
}
