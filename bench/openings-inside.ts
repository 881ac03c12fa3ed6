import koffi from "koffi";
import { instant } from "../src/base/time.ts";
import type { AddressChange, MembersLane } from "../src/drivers/members-lane.ts";
import { render } from "../src/drivers/nftables/convert.ts";
import { nftablesLane } from "../src/drivers/nftables/lane-kind.ts";
import { holdBatch } from "../src/drivers/nftables/wire-elements.ts";
import { answerKey } from "../src/drivers/nftables/wire-flows.ts";
import { type Netlink, openNetlink } from "../src/runtime/netlink.ts";
import { runProcess } from "../src/runtime/process.ts";
import { localShell } from "../src/runtime/shell-local.ts";
import { containerOf, gatewayOf, openTo, udp443 } from "./gateway.ts";
import { median, printTable, type Row } from "./measure.ts";

/** Hosts of the gateway: as many sets as there can be, whatever is held in them. */
const hosts = 4000;
/** Openings of each host that are held before each measurement. */
const held: readonly { readonly name: string; readonly perHost: number; readonly hosts: number }[] = [
  { name: "10", perHost: 1, hosts: 10 },
  { name: "100,000", perHost: 25, hosts },
  { name: "1,000,000", perHost: 250, hosts },
];
const rounds = 21;
/** How often each way is gone in one round. */
const times = { kernel: 50, library: 10, program: 2 };

type Way = { readonly name: string; readonly times: number; go(n: number): Promise<void> | void };

const now = (): ReturnType<typeof instant> => instant(Date.now());
const desired = gatewayOf(hosts);

function hostAt(n: number): AddressChange["host"] {
  const found = desired.hosts[n % hosts];
  if (found === undefined) throw new RangeError(`No host ${n}`);
  return found.host;
}

/** Opens UDP 443 at the next containers of the first hosts, many at a time. */
async function fill(lane: MembersLane, from: number, until: number, first: number): Promise<void> {
  for (let host = 0; host < first; host++) {
    const changes = Array.from(
      { length: until - from },
      (_, n): AddressChange => ({
        host: hostAt(host),
        to: containerOf(host, from + n),
        before: [],
        after: openTo(udp443),
      }),
    );
    await lane.change(changes, now());
  }
}

let taken = 0;
/** An address that nobody has had yet, of a host somewhere. */
function fresh(): { readonly host: AddressChange["host"]; readonly to: AddressChange["to"] } {
  const n = taken++;
  const host = (n * 37) % hosts;
  return { host: hostAt(host), to: containerOf(host, 1000 + Math.floor(n / hosts)) };
}

function openingBy(lane: MembersLane): Way {
  return {
    name: "opening, by the lane",
    times: times.kernel,
    go: () => lane.change([{ ...fresh(), before: [], after: openTo(udp443) }], now()),
  };
}

function closingBy(lane: MembersLane): Way {
  const open: AddressChange[] = [];
  return {
    name: "closing, by the lane",
    times: times.kernel,
    async go(n) {
      // What is closed was opened before the clock runs, for the whole round.
      if (n === 0) {
        open.push(...Array.from({ length: times.kernel }, () => ({ ...fresh(), before: [], after: openTo(udp443) })));
        await lane.change(open, now());
      }
      const change = open.pop();
      if (change !== undefined) await lane.change([{ ...change, before: change.after, after: [] }], now());
    },
  };
}

/** The least there is: the bytes are there before, one element and nothing else. */
function floorBy(socket: Netlink): Way {
  const ready: Uint8Array[] = [];
  return {
    name: "one element, bytes ready (floor)",
    times: times.kernel,
    go(n) {
      if (n === 0) for (let i = 0; i < times.kernel; i++) ready.push(oneElement());
      const bytes = ready.pop();
      if (bytes !== undefined) socket.ask(bytes);
    },
  };
}

/** One message, to a hash set: a tuple of the set `cut`. */
function oneElement(): Uint8Array {
  const tuple = answerKey({ protocol: "udp", from: fresh().to, to: fresh().to, fromPort: 1, toPort: 2 });
  return holdBatch(tuple === undefined ? [] : [tuple]).datagram;
}

function elementText(): string {
  const { to } = fresh();
  return `add element inet sixgate open_02 { ${to} . udp . 443 }`;
}

function libraryWay(): Way {
  const library = koffi.load("libnftables.so.1");
  const context: unknown = library.func("void *nft_ctx_new(unsigned int)")(0);
  const command = library.func("int nft_run_cmd_from_buffer(void *, const char *)");
  return {
    name: "one element, by libnftables in process",
    times: times.library,
    go() {
      if (command(context, elementText()) !== 0) throw new Error("libnftables refuses an element");
    },
  };
}

function programWay(): Way {
  return {
    name: "one element, by nft as a process",
    times: times.program,
    async go() {
      const ran = await runProcess("bench", ["nft", elementText()]);
      if (ran.code !== 0) throw new Error(ran.stderr);
    },
  };
}

/** Microseconds of each going, round by round; one round before the first does not count. */
async function compare(ways: readonly Way[]): Promise<ReadonlyMap<string, readonly number[]>> {
  const seen = new Map<string, number[]>(ways.map((way) => [way.name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const way of ways) {
      for (let n = 0; n <= way.times; n++) {
        const began = performance.now();
        await way.go(n);
        // The first of each makes ready what the others need.
        if (round > 0 && n > 0) seen.get(way.name)?.push(1000 * (performance.now() - began));
      }
    }
  }
  return seen;
}

function rowsOf(seen: ReadonlyMap<string, readonly number[]>, name: string): readonly Row[] {
  const floor = median(seen.get("one element, bytes ready (floor)") ?? []);
  return [...seen].map(([way, all]): Row => {
    const figure = median(all);
    const late = all.toSorted((a, b) => a - b)[Math.floor(0.99 * all.length)] ?? Number.NaN;
    const beside = way.includes("floor") ? {} : { ratio: floor / figure, beside: "the floor" };
    return { name: `${name} held: ${way}`, figure, unit: `µs, p99 ${Math.round(late)}`, ...beside };
  });
}

async function readRow(lane: MembersLane, name: string): Promise<Row> {
  const took: number[] = [];
  for (let n = 0; n < 3; n++) {
    const began = performance.now();
    await lane.read();
    took.push(performance.now() - began);
  }
  return { name: `${name} held: all of them read`, figure: median(took), unit: "ms" };
}

async function run(json: boolean): Promise<void> {
  const text = render(desired).find((each) => each.path.endsWith(".nft"))?.text ?? "";
  const loaded = await runProcess("bench", ["nft", "-f", "-"], { input: text, timeout: 120_000 });
  if (loaded.code !== 0) throw new Error(loaded.stderr);
  const lane = await nftablesLane.open(localShell(), desired);
  const socket = openNetlink();
  const ways = [floorBy(socket), openingBy(lane), closingBy(lane), libraryWay(), programWay()];
  const rows: Row[] = [];
  let filled = 0;
  for (const side of held) {
    await fill(lane, filled, side.perHost, side.hosts);
    filled = side.hosts === hosts ? side.perHost : 0;
    rows.push(...rowsOf(await compare(ways), side.name), await readRow(lane, side.name));
  }
  socket.close();
  await lane.end();
  if (json) console.log(JSON.stringify({ suite: "openings", rows }));
  else printTable(`openings: one element into a gateway of ${hosts.toLocaleString("en-US")} hosts`, rows);
}

await run(process.argv.includes("--json"));
