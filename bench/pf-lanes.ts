import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostName } from "../src/base/name.ts";
import { instant } from "../src/base/time.ts";
import { lanes } from "../src/drivers/index.ts";
import type { MembersLane } from "../src/drivers/members-lane.ts";
import { address } from "../src/net/address.ts";
import { prefix } from "../src/net/prefix.ts";
import type { OpenService } from "../src/openings/opening.ts";
import type { Shell } from "../src/runtime/shell.ts";
import { sshShell } from "../src/runtime/shell-ssh.ts";
import type { ApiWay } from "../src/runtime/way.ts";
import { pfState } from "../test/conformance/pf-states.ts";
import { startOpnSense } from "../test/conformance/target-opnsense.ts";
import { startArticle } from "../test/conformance/target-pfsense.ts";
import { sshStandIn } from "../test/fakes/ssh.ts";
import { besidePf, type Firewall } from "../test/pf-controller.ts";
import { median, printTable, type Row } from "./measure.ts";

type Fake = Firewall & { way(): ApiWay; stop(): Promise<void> };
type Kind = "pfsense" | "opnsense";
/** What is gone in turn; each gives the milliseconds that it took. */
type Side = { readonly name: string; go(n: number): Promise<number> };

const rounds = Number(process.env["ROUNDS"] ?? 15);
/** Where ssh would go; the stand-in for it goes to the fake whatever it is called with. */
const target = "root@10.10.10.2";
/** Somebody's table of pf, for the floor. */
const table = "bench";
const floor = "pfctl -T add by itself, over the same ssh (floor)";
const tcp80: OpenService = {
  service: { kind: "ports", transport: "tcp", ports: { first: 80, last: 80 } },
  from: [prefix("::/0")],
};

export async function run({ json }: { readonly json: boolean }): Promise<void> {
  const rows: Row[] = [];
  const fakes = { pfsense: () => startArticle(), opnsense: () => startOpnSense() } as const;
  for (const [kind, start] of Object.entries(fakes) as readonly (readonly [Kind, () => Promise<Fake>])[]) {
    const fake = await start();
    try {
      rows.push(...(await byLane(kind, fake)), ...(await wholeWay(kind, fake)));
    } finally {
      await fake.stop();
    }
  }
  if (json) console.log(JSON.stringify({ suite: "pf", rows }));
  else printTable(`pf: one opening on a fake firewall, ${rounds} of each`, rows);
}

/** The lane in this process, as the controller has it; rule and table of the service are there. */
async function byLane(kind: Kind, fake: Fake): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "sixgate-bench-"));
  const path = process.env["PATH"] ?? "";
  process.env["PATH"] = `${sshStandIn(folder, fake.system.url)}:${path}`;
  try {
    const shell = sshShell(target);
    const lane = await lanes[kind]?.open({ ...fake.way(), shell }, pfState({ kind, policy: openPolicy }));
    if (lane === undefined) throw new Error(`no lane for ${kind}`);
    const sides = [floorBy(fake, shell), openingBy(lane), closingBy(lane), lookingBy(lane)];
    const rows = rowsOf(`${kind} alone`, await compare(sides));
    await lane.end();
    return rows;
  } finally {
    process.env["PATH"] = path;
    await rm(folder, { recursive: true, force: true });
  }
}

/** Engine, agent and controller as processes: from the start of a container with a label to its entry, and back. */
async function wholeWay(kind: Kind, fake: Fake): Promise<readonly Row[]> {
  const rows: Row[] = [];
  await besidePf(kind, fake, async ({ engine, PATH, until }) => {
    const entries = (): number => fake.device.kernel.tables.get("sgl_tcp_80")?.size ?? 0;
    const path = process.env["PATH"];
    process.env["PATH"] = PATH;
    const running: string[] = [];
    const started: Side = {
      name: "container with a label starts, until its entry is there",
      async go(n) {
        const before = entries();
        let id = "";
        engine.act((model) => void (id = model.create({ name: `web${n}`, labels: { "sixgate.open": "80" } })));
        const took = await timed(async () => {
          engine.act((model) => model.start(id));
          await until(() => entries() > before, 1);
        });
        running.push(id);
        return took;
      },
    };
    const ended: Side = {
      name: "that container ends, until its entry is gone",
      async go() {
        const before = entries();
        const id = running.pop() ?? "";
        return timed(async () => {
          engine.act((model) => model.kill(id));
          await until(() => entries() < before, 1);
        });
      },
    };
    try {
      const sides = [floorBy(fake, sshShell(target)), started, ended];
      rows.push(...rowsOf(`${kind} with controller and agent`, await compare(sides)));
    } finally {
      process.env["PATH"] = path;
    }
  });
  return rows;
}

const openPolicy = "{ allow: [{ ports: [80], from: any }] }";

function floorBy({ device: { kernel } }: Fake, shell: Shell): Side {
  return {
    name: floor,
    async go(n) {
      // The fake's reload leaves nothing in it that is not configured.
      if (!kernel.tables.has(table)) kernel.tables.set(table, new Set());
      const words = ["pfctl", "-q", "-t", table, "-T", "add", `2001:db8:77::${(n + 1).toString(16)}`];
      return timed(async () => {
        const ran = await shell.run(words);
        if (ran.code !== 0) throw new Error(ran.stderr);
      });
    },
  };
}

const host = "vm1" as HostName;
const containerOf = (n: number): ReturnType<typeof address> => address(`2001:db8:10ff:1:22::${(n + 2).toString(16)}`);

function openingBy(lane: MembersLane): Side {
  return {
    name: "opening, by the lane",
    go: (n) =>
      timed(() => lane.change([{ host, to: containerOf(n), before: [], after: [tcp80] }], instant(Date.now()))),
  };
}

function closingBy(lane: MembersLane): Side {
  return {
    name: "closing, flows and all, by the lane",
    go: (n) =>
      timed(() => lane.change([{ host, to: containerOf(n), before: [tcp80], after: [] }], instant(Date.now()))),
  };
}

function lookingBy(lane: MembersLane): Side {
  return { name: "everything read", go: () => timed(async () => void (await lane.read())) };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Side after side, round by round, so that a busy neighbour slows all alike; one round before the first does not count. */
async function compare(sides: readonly Side[]): Promise<ReadonlyMap<string, readonly number[]>> {
  const seen = new Map<string, number[]>(sides.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++)
    for (const side of sides) {
      const took = await side.go(round);
      if (round > 0) seen.get(side.name)?.push(took);
    }
  return seen;
}

function rowsOf(where: string, seen: ReadonlyMap<string, readonly number[]>): readonly Row[] {
  const least = median(seen.get(floor) ?? []);
  return [...seen].map(([name, all]): Row => {
    const figure = median(all);
    const beside = name === floor ? {} : { ratio: least / figure, beside: "the floor" };
    return { name: `${where}: ${name}`, figure, unit: `ms, slowest ${Math.round(Math.max(...all))}`, ...beside };
  });
}
