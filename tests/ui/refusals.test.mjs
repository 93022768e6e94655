// What the pages must not do: answer strangers, or run what somebody typed.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { Desk, browser } from "./desk.mjs";
import { Province } from "./node.mjs";

/** Method and path of every route; a test of `node` compares it with the router's table. */
const ROUTES = JSON.parse(readFileSync(new URL("routes.json", import.meta.url), "utf8"));

let chromium;
let province;
let office;
before(async () => {
  chromium = await browser();
  province = await Province.of("QNM-HOIAN");
  office = province.node("QNM-HOIAN");
});
after(async () => {
  await chromium.close();
  await province.remove();
});

test("every route refuses a wrong Host, a wrong Origin and a wrong method", async () => {
  const paths = new Map();
  for (const [method, pattern] of ROUTES) {
    const path = pattern.replaceAll(/\{[^}]+\}/g, "x");
    paths.set(path, [...(paths.get(path) ?? []), method]);
  }
  assert.ok(paths.size > 30);
  const { host } = new URL(office.site);
  for (const [path, allowed] of paths) {
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"]) {
      const stranger = await ask(method, path, { host: "evil.example", origin: office.site });
      assert.equal(stranger, 421, `${method} ${path} by another host`);
      const foreign = await ask(method, path, { host, origin: "http://evil.example" });
      assert.equal(foreign, 403, `${method} ${path} from another site`);
      if (allowed.includes(method)) continue;
      const wrong = await ask(method, path, { host, origin: office.site });
      assert.equal(wrong, 405, `${method} ${path}`);
    }
  }
});

/** Asks as no browser would: `fetch` does not let a program choose its Host. */
function ask(method, path, headers) {
  const { hostname, port } = new URL(office.site);
  return new Promise((tell, fail) => {
    const asked = request({ hostname, port, method, path, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => tell(answer.statusCode));
    });
    asked.on("error", fail);
    asked.end();
  });
}

test("a hundred hostile strings in every field stay words", async () => {
  const desk = await (await Desk.at(chromium, office)).signIn();
  await desk.go("/receive?procedure=2.000815.H47");
  const names = await desk.page.locator("#reception").evaluate((form) => {
    const typed = [...form.elements].filter((it) => /^(text|tel|email|textarea)$/.test(it.type));
    return typed.map((it) => it.name);
  });
  const own = await marks(desk);
  for (const evil of hostile()) {
    const once = crypto.randomUUID();
    const fields = { procedure: "2.000815.H47", once };
    for (const name of names) fields[name] = evil;
    const typed = await send(desk, "/receive", { ...fields, do: "refresh" });
    const saved = await send(desk, "/receive", {
      procedure: "2.000815.H47",
      once: `${once}-2`,
      "applicant.name": evil,
      note: evil,
      do: "save",
    });
    const found = await send(desk, "/search", { text: evil });
    for (const page of [typed, saved, found]) await harmless(desk, page, own, evil);
  }
  await desk.go("/");
  assert.ok((await desk.page.locator("tbody tr").count()) > 0, "some of them were received");
  await desk.close();
});

async function send(desk, path, fields) {
  const answer = await desk.page.request.post(office.site + path, {
    form: fields,
    headers: { origin: office.site },
  });
  assert.ok([200, 400, 422].includes(answer.status()), `${path}: ${answer.status()}`);
  return answer.text();
}

/** Reads a page as a browser does: nothing in it may be more than it has with nothing typed. */
async function harmless(desk, html, own, evil) {
  await desk.page.evaluate((html) => {
    window.shown = new DOMParser().parseFromString(html, "text/html");
  }, html);
  assert.deepEqual(await marks(desk, "shown"), own, evil);
}

/** How much of a page could run: scripts that are not ours, frames, handlers, foreign addresses. */
function marks(desk, where = "document") {
  return desk.page.evaluate((where) => {
    const page = window[where];
    const all = [...page.querySelectorAll("*")];
    const names = all.flatMap((it) => [...it.attributes].map((attribute) => attribute.name));
    const links = [...page.querySelectorAll("[href],[src],[action],[formaction]")];
    const places = ["href", "src", "action", "formaction"];
    const targets = links.flatMap((it) => places.map((place) => it.getAttribute(place)));
    return {
      scripts: page.querySelectorAll("script:not([src^='/assets/'])").length,
      frames: page.querySelectorAll("iframe,object,embed,base,meta[http-equiv],img").length,
      handlers: names.filter((name) => name.startsWith("on")).length,
      styles: names.filter((name) => name === "style").length,
      foreign: targets.filter((it) => it && !/^(\/(?!\/)|#)/.test(it)).length,
    };
  }, where);
}

/** A hundred strings that broke somebody's pages. */
function hostile() {
  const calls = ["alert(1)", "alert`1`", "document.title='x'", "fetch('//evil.example')"];
  const shapes = [
    (call) => `<script>${call}</script>`,
    (call) => `"><script>${call}</script>`,
    (call) => `'><img src=x onerror=${call}>`,
    (call) => `<svg/onload=${call}>`,
    (call) => `" onfocus=${call} autofocus "`,
    (call) => `' onmouseover=${call} '`,
    (call) => `</textarea><script>${call}</script>`,
    (call) => `</title><script>${call}</script>`,
    (call) => `javascript:${call}`,
    (call) => `<a href="javascript:${call}">x</a>`,
    (call) => `<iframe srcdoc="<script>${call}</script>">`,
    (call) => `<form action="//evil.example"><button>${call}`,
    (call) => `{{${call}}} \${${call}} <%= ${call} %>`,
    (call) => `<div hx-get="//evil.example" hx-trigger="load">${call}</div>`,
    (call) => `--><script>${call}</script><!--`,
    (call) => `<base href="//evil.example/">${call}`,
    (call) => `<meta http-equiv=refresh content="0;url=//evil.example">${call}`,
    (call) => `<object data="//evil.example/${call}">`,
    (call) => `<math><mtext><script>${call}</script>`,
    (call) => `&lt;script&gt;${call}&#60;/script&#62;`,
    (call) => `<details open ontoggle=${call}>`,
    (call) => `<style>@import '//evil.example/${call}'</style>`,
    (call) => `＜script＞${call}＜/script＞`,
    (call) => `\u202e<script>${call}</script>`,
    (call) => `%3Cscript%3E${call}%3C/script%3E`,
  ];
  const all = shapes.flatMap((shape) => calls.map(shape));
  assert.equal(all.length, 100);
  return all;
}
