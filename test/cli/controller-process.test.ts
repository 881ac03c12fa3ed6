import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { allocate } from "../../src/addressing/allocate.ts";
import { emptyLedger } from "../../src/addressing/ledger.ts";
import { deriveFilter } from "../../src/desired/derive-filter.ts";
import type { GatewayDesired } from "../../src/desired/desired.ts";
import { lanes } from "../../src/drivers/index.ts";
import { nftables } from "../../src/drivers/nftables/driver.ts";
import { parseFleet } from "../../src/fleet/parse-fleet.ts";
import { formatService } from "../../src/openings/services.ts";
import { FakeEngine, flavours } from "../fake-engine.ts";
import { type Holder, must, startHolder } from "../holder.ts";
import { noMachine, reach } from "../machine.ts";
import { article, inFolder, main, type Said, sixgate } from "./run.ts";

const lacking = await noMachine(["nft", "conntrack"]);

test("sixgate controller refuses a fleet without one, and a gateway that it has no lane to", async () => {
  await inFolder(async (folder) => {
    const without = join(folder, "without.yaml");
    writeFileSync(without, article().replace(/^controller:.*$/m, ""));
    const words = ["controller", "--state", join(folder, "state"), "-f"];
    expect((await sixgate([...words, without])).err).toContain("E954 This fleet has no controller");
    const broken = join(folder, "broken.yaml");
    writeFileSync(broken, article().replace("vm1:", "vm1: ["));
    expect((await sixgate([...words, broken])).code).toBe(1);
  });
});

test("sixgate controller backup says what is missing, or in its way", async () => {
  await inFolder(async (folder) => {
    const said = await sixgate(["controller", "backup", join(folder, "copy"), "--state", join(folder, "none")]);
    expect(said).toMatchObject({ code: 1 });
    expect(said.err).toContain("E801 No controller's state is there");
  });
});

describe.skipIf(lacking !== undefined)("sixgate controller on a gateway", () => {
  let folder: string;
  let machine: Holder;
  let desired: GatewayDesired;
  let engine: FakeEngine;
  let children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "sixgate-controller-"));
    engine = await FakeEngine.start(flavours["28.5"]);
    const text = readFileSync(join(import.meta.dirname, "../../examples/lab.yaml"), "utf8")
      .replace("prefix: 2001:db8:1234:321d::/64", "prefix: 2001:db8:1:2::/64")
      .replace(/\nopenings:\n(?: {2}.*\n)+/, "\n");
    writeFileSync(join(folder, "fleet.yaml"), text);
    const fleet = parseFleet(text, "fleet.yaml");
    if (!fleet.ok) throw new Error(JSON.stringify(fleet.errors));
    const plan = allocate(fleet.value, emptyLedger("lab"));
    if (!plan.ok) throw new Error("No plan");
    desired = deriveFilter(fleet.value, plan.value.plan);
    machine = await startHolder("controller-test");
    for (const name of ["wan", "wan6", "lan"])
      await must(machine.shell, ["ip", "link", "add", name, "type", "veth", "peer", "name", `x-${name}`]);
    for (const name of ["lo", "wan", "wan6", "lan", "x-wan", "x-wan6", "x-lan"])
      await must(machine.shell, ["ip", "link", "set", name, "up"]);
    for (const last of ["2", "11"])
      await must(machine.shell, ["ip", "addr", "add", `10.10.10.${last}/24`, "dev", "lan"]);
    await reach(nftables, machine.shell, desired);
  }, 60_000);
  afterEach(async () => {
    for (const child of children) child.kill("SIGKILL");
    children = [];
    await engine.end();
    await machine.stop();
    rmSync(folder, { recursive: true });
  });

  function under(): readonly string[] {
    return ["nsenter", "-t", String(machine.pid), "-m", "-n", "-u", "-p", "-r", "-w", "--"];
  }
  /** A verb that goes on, inside the gateway. */
  function begun(...words: readonly string[]): {
    readonly child: ChildProcess;
    readonly ended: Promise<Said>;
    err: () => string;
  } {
    const [program = "", ...args] = [...under(), process.execPath, main, ...words];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
    children.push(child);
    let err = "";
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const ended = new Promise<Said>((resolve) => child.on("close", (code) => resolve({ code, out: "", err })));
    return { child, ended, err: () => err };
  }
  const state = (): string => join(folder, "state");
  const token = (): string => join(folder, "admin.token");
  function ask(...words: readonly string[]): Promise<Said> {
    return sixgate([...words, "--token-file", token()], { under: under(), cwd: folder });
  }
  async function controller(): Promise<ReturnType<typeof begun>> {
    const one = begun("controller", "-f", join(folder, "fleet.yaml"), "--state", state(), "--token-file", token());
    await until(
      () => one.err().includes("controller of lab"),
      () => one.err(),
    );
    return one;
  }
  /** What labels and people have open, as the kernel has it. */
  async function elements(): Promise<readonly string[]> {
    const lane = await lanes.nftables?.open(machine.shell, desired);
    try {
      const held = (await lane?.read()) ?? [];
      return held.flatMap(({ to, services }) => services.map(({ service }) => `${to} ${formatService(service)}`));
    } finally {
      await lane?.end();
    }
  }

  test("a label is in the kernel's set, stays there without a controller, and goes with its container", {
    timeout: 180_000,
  }, async () => {
    const one = await controller();
    const invited = await ask("invite", "vm1", "--out", join(folder, "join"));
    expect(invited, invited.err).toMatchObject({ code: 0 });
    const agentState = join(folder, "agent");
    const enrolled = await sixgate(
      ["enrol", "10.10.10.2:6464", "--token-file", join(folder, "join"), "--state", agentState],
      { under: under(), cwd: folder },
    );
    expect(enrolled, enrolled.err).toMatchObject({ code: 0 });
    const agent = begun("agent", "--state", agentState, "--docker", engine.path);
    let id = "";
    engine.act((model) => {
      id = model.create({ name: "web", labels: { "sixgate.open": "80; 2375" } });
      model.start(id);
    });
    await until(
      async () => (await elements()).length > 0,
      () => one.err() + agent.err(),
    );
    expect(await elements()).toEqual(["2001:db8:1:2:21::2 80/tcp"]);
    const openings = await ask("openings", "--json");
    expect(JSON.parse(openings.out)).toMatchObject({ entries: [{ host: "vm1", container: { name: "web" } }] });
    expect((await ask("openings", "--refused", "--json")).out).toContain("E911");
    const before = await elements();

    // Killed: nothing changes. The next one takes over what is there.
    signalInside(one.child, "KILL");
    await one.ended;
    expect(await elements()).toEqual(before);
    const two = await controller();
    expect(await elements()).toEqual(before);
    await until(
      async () => JSON.parse((await ask("status", "--json")).out).complete === true,
      () => two.err(),
    );
    expect(await elements()).toEqual(before);
    engine.act((model) => model.kill(id));
    await until(
      async () => (await elements()).length === 0,
      () => two.err(),
    );

    const backed = await ask("controller", "backup", join(folder, "copy"), "--state", state());
    expect(backed, backed.err).toMatchObject({ code: 0 });
    const audit = await ask("audit", "--verify");
    expect(audit, audit.err).toMatchObject({ code: 0 });
    const told = (await ask("audit", "--json")).out;
    for (const what of ["invited", "enrolled", "agent-connected", "opened", "refused", "closed"])
      expect(told).toContain(`"what":"${what}"`);

    // A fleet file that is wrong changes nothing; one that is right is in force.
    const path = join(folder, "fleet.yaml");
    const good = readFileSync(path, "utf8");
    writeFileSync(path, "nothing of the kind: [");
    signalInside(two.child, "HUP");
    await until(
      () => two.err().includes("nothing was changed"),
      () => two.err(),
    );
    writeFileSync(path, good.replace("2376]", "2376, 80]"));
    signalInside(two.child, "HUP");
    await until(
      () => two.err().includes("is in force"),
      () => two.err(),
    );
    engine.act((model) => model.start(id));
    await until(
      async () => (await ask("openings", "--refused", "--json")).out.includes("never opens 80"),
      () => two.err(),
    );
    expect(await elements()).toEqual([]);

    signalInside(two.child, "TERM");
    expect((await two.ended).code).toBe(0);
  });

  test("the first start shows a link on a terminal, once; in a log it names the verb, and no code is ever there", {
    timeout: 180_000,
  }, async () => {
    const words = ["-f", join(folder, "fleet.yaml"), "--state", state(), "--token-file", token()];
    const started = (words: readonly string[]): string => [process.execPath, main, "controller", ...words].join(" ");
    const shown = async (done: (out: string) => boolean): Promise<string> => {
      const [program, ...args] = [...under(), "script", "-qec", started(words), "/dev/null"];
      const env = { ...process.env, NO_COLOR: "1" };
      const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"], cwd: folder, env });
      children.push(child);
      let out = "";
      child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
      const ended = new Promise((resolve) => child.on("close", resolve));
      await until(
        async () => (await ask("status", "--json")).code !== 1 && done(out),
        () => out,
      );
      const pid = (await machine.shell.run(["pgrep", "-xf", started(words)])).stdout.trim();
      await machine.shell.run(["kill", "-TERM", pid]);
      await ended;
      return out;
    };
    const first = await shown((out) => out.includes("prints another"));
    expect(first).toMatch(/^PAGE {2}https:\/\/10\.10\.10\.2:6465\/#code=[\w-]{43}\r?$/m);
    expect(first).toContain("within 5 minutes");
    expect(await shown((out) => out.includes("controller of lab"))).not.toContain("#code=");
    // The token file is gone, as where nobody was before: but now it goes into a log.
    rmSync(token());
    const one = await controller();
    await until(
      () => one.err().includes(`\`sixgate page --token-file ${token()}\` prints a link`),
      () => one.err(),
    );
    const linked = await ask("page");
    expect(linked.out, linked.err).toMatch(/^https:\/\/10\.10\.10\.2:6465\/#code=[\w-]{43}\n$/);
    const code = new URL(linked.out).hash.slice("#code=".length);
    const body = JSON.stringify({ code });
    const login = ["curl", "-sk", "-H", "content-type: application/json", "-d", "@-"];
    const redeem = async (): Promise<string> =>
      (await machine.shell.run([...login, "https://10.10.10.2:6465/api/v1/session"], { input: body })).stdout;
    expect(await redeem()).toContain('"role":"admin"');
    expect(await redeem()).toContain("E956");
    expect(one.err()).not.toContain(code);
    expect((await ask("audit", "--json")).out).not.toContain(code);
    signalInside(one.child, "TERM");
    expect((await one.ended).code).toBe(0);
  });

  /** nsenter stands before the program: its child is the one. */
  function signalInside(child: ChildProcess, name: string): void {
    const own = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
    for (const each of own) if (each !== "") process.kill(Number(each), `SIG${name}`);
  }
});

async function until(met: () => boolean | Promise<boolean>, said: () => string): Promise<void> {
  for (let n = 0; n < 600; n++) {
    if (await met()) return;
    await sleep(100);
  }
  throw new Error(`Waited in vain: ${said()}`);
}
