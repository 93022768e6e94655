// Real nodes as processes of their own: the program that `tests/run` built, each with a folder.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createSocket } from "node:dgram";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");
const PROGRAM = process.env.LIENTHONG ?? join(ROOT, "target/debug/lienthong");
export const PROVINCE = join(ROOT, "config/quang-nam/province.toml");
export const PASSWORD = "hội an chín giờ sáng";
export const OFFICER = "cb-an";

/** How long something that takes moments may take before the test fails. */
const PATIENCE_MS = 60_000;

/**
 * A clock that nodes follow while they run: the machine's, so far ahead as is wanted. What the time
 * of day decides is tested on a day that the published calendar knows, whenever the tests run.
 */
export class Clock {
  constructor(minute) {
    this.folder = mkdtempSync(join(tmpdir(), "lienthong-clock-"));
    this.file = join(this.folder, "ahead");
    this.set(minute);
  }

  /** Sets it to a minute in Vietnam, such as `2026-11-24T10:00`; nodes follow within a second. */
  set(minute) {
    const seconds = Math.round((Date.parse(`${minute}:00+07:00`) - Date.now()) / 1000);
    // A node must never read half a number.
    writeFileSync(`${this.file}.new`, `${seconds < 0 ? "" : "+"}${seconds}s`);
    renameSync(`${this.file}.new`, this.file);
  }

  /** What a process needs to follow it. */
  get environment() {
    const library = readdirSync("/usr/lib")
      .map((machine) => `/usr/lib/${machine}/faketime/libfaketimeMT.so.1`)
      .find(existsSync);
    if (!library) throw new Error("apt-get install faketime");
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One node. Its folder is empty until it founds or joins, by command or in a browser. */
export class Node {
  constructor(office, clock) {
    this.office = office;
    this.clock = clock;
    this.folder = mkdtempSync(join(tmpdir(), "lienthong-ui-"));
    this.data = join(this.folder, "data");
  }

  /** Runs a command on its folder and answers with what that printed as JSON. */
  command(...words) {
    return JSON.parse(this.say([...words, "--json"]));
  }

  say(words, input = "") {
    const stdio = ["pipe", "pipe", "pipe"];
    const options = { input, encoding: "utf8", stdio, env: this.surroundings() };
    return execFileSync(PROGRAM, [...words, "--data", this.data], options);
  }

  surroundings() {
    return { ...process.env, ...this.clock?.environment, ...this.environment };
  }

  /** Joins with a code, while others go on: somebody may have to approve it first. */
  async joins(code) {
    const options = { stdio: "pipe", env: this.surroundings() };
    const joining = spawn(PROGRAM, ["join", "-", "--data", this.data], options);
    const told = [];
    joining.stderr.on("data", (words) => told.push(words));
    joining.stdin.end(code);
    const [exit] = await once(joining, "exit");
    if (exit !== 0) throw new Error(Buffer.concat(told).toString());
  }

  /** Starts it; its pages are at `this.site` once this returns. */
  async start() {
    this.address ??= `127.0.0.1:${await freePort()}`;
    const words = ["serve", "--data", this.data, "--listen", this.address, "--http", "127.0.0.1:0"];
    const options = { stdio: ["ignore", "ignore", "pipe"], env: this.surroundings() };
    this.process = spawn(PROGRAM, words, options);
    this.log = [];
    const told = new Promise((tell, fail) => {
      createInterface({ input: this.process.stderr }).on("line", (line) => {
        this.log.push(line);
        const opening = line.match(/http:\S+\/setup#\S+/);
        if (opening) this.opening = opening[0];
        const at = line.match(/ pages address=(\S+)/);
        if (at) tell(`http://${at[1]}`);
      });
      this.process.on("exit", () => fail(new Error(`it ended: ${this.log.join("\n")}`)));
    });
    this.site = await told;
    await this.until("the pages answer", () => this.answers());
    return this;
  }

  async answers() {
    const path = this.hasJoined() ? "/readyz" : "/healthz";
    return (await fetch(this.site + path)).ok;
  }

  hasJoined() {
    return existsSync(join(this.data, "federation.json"));
  }

  async stop() {
    if (this.process?.exitCode !== null || !this.process) return;
    this.process.removeAllListeners("exit");
    this.process.kill("SIGTERM");
    await once(this.process, "exit");
  }

  async remove() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Waits until `holds` answers with something true, and answers with that. */
  async until(what, holds) {
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
      const got = await holds();
      if (got) return got;
      await delay(50);
    }
    throw new Error(`${this.office}: ${what} did not come true in ${PATIENCE_MS} ms`);
  }

  /** Waits until all links of this node are settled. */
  settled() {
    return this.until("all links are settled", () => {
      const { links } = this.command("status");
      return links.length > 0 && links.every((link) => link.settled && link.state === "connected");
    });
  }

  /** Makes the first administrator, as the page of the set-up does. */
  async administrator(officer = OFFICER) {
    await this.until("the opening code", () => this.opening);
    const secret = decodeURIComponent(new URL(this.opening).hash.slice(1));
    const fields = { secret, officer, password: PASSWORD, again: PASSWORD };
    const sent = await fetch(`${this.site}/setup/administrator`, {
      method: "POST",
      redirect: "manual",
      headers: { origin: this.site, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(fields),
    });
    if (sent.status !== 303) throw new Error(`no administrator: ${sent.status} ${await sent.text()}`);
  }
}

/** The centre with catalogue and calendar, and offices that joined it, all running. */
export class Province {
  static of(...offices) {
    return Province.at(undefined, ...offices);
  }

  /** The same, with a clock of its own. */
  static async at(clock, ...offices) {
    const province = new Province();
    province.clock = clock;
    province.hub = new Node("QNM-HCC", clock);
    province.nodes = [province.hub];
    const config = (name) => join(ROOT, "config/quang-nam", name);
    province.hub.say(["init", "--office", "QNM-HCC", "--province", PROVINCE]);
    await province.hub.start();
    await province.hub.administrator();
    province.hub.say(["catalogue", "publish", config("procedures.toml")]);
    for (const year of [2017, 2018, 2025, 2026]) {
      province.hub.say(["calendar", "publish", config(`calendar-${year}.toml`)]);
    }
    for (const office of offices) await province.join(office);
    return province;
  }

  async join(office) {
    const node = new Node(office, this.clock);
    this.nodes.push(node);
    const invited = this.hub.say(["invite", office]);
    node.say(["join", "-"], invited);
    await node.start();
    await node.administrator();
    await node.settled();
    return node;
  }

  node(office) {
    return this.nodes.find((node) => node.office === office);
  }

  async remove() {
    for (const node of this.nodes.reverse()) await node.remove();
    this.clock?.remove();
  }
}

/** A UDP port that nobody has now, so that others can be told it before the node listens. */
async function freePort() {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}
