import { type Allocation, allocate } from "../src/addressing/allocate.ts";
import { emptyLedger, formatLedger, type Ledger, parseLedger } from "../src/addressing/ledger.ts";
import { formatDiagnostic } from "../src/base/diagnostic.ts";
import type { Result } from "../src/base/result.ts";
import type { Fleet } from "../src/fleet/fleet.ts";
import { parseFleet } from "../src/fleet/parse-fleet.ts";
import { interleave, printTable, type Row } from "./measure.ts";

/** All the slots that a /64 has for hosts, and all the networks that a block has. */
const everyHost = 4094;
const networksEach = 14;
/** Keeps the results alive, so that nothing measured is optimized away. */
let kept = 0;

/**
 * Figures are milliseconds for one run. Beside each stands a floor in the same run: writing the same plan as JSON for
 * the plan, parsing the ledger's JSON for a change. Half a fleet beside a whole one shows that it grows evenly.
 */
export async function run(options: { readonly json: boolean }): Promise<void> {
  const rows = rowsOf();
  if (options.json) console.log(JSON.stringify({ suite: "plan", rows, kept: kept !== 0 }));
  else printTable(`plan: ${everyHost} hosts with ${networksEach} networks each in a /64`, rows);
}

function rowsOf(): readonly Row[] {
  const [half, whole] = [everyHost / 2, everyHost].map((hosts) => valueOf(parseFleet(fileWith(hosts), "half.yaml")));
  const oneLess = valueOf(parseFleet(fileWith(everyHost - 1), "less.yaml"));
  if (half === undefined || whole === undefined) throw new Error("No fleets");
  const { plan } = plannedBy(whole, emptyLedger("bench"));
  const { ledger } = plannedBy(oneLess, emptyLedger("bench"));
  const ledgerText = formatLedger(ledger);
  const fresh = (): Ledger => ({ ...ledger, hosts: ledger.hosts.map((each) => ({ ...each })) });
  const figures = interleave({
    half: () => once(plannedBy(half, emptyLedger("bench")).plan.hosts.length),
    whole: () => once(plannedBy(whole, emptyLedger("bench")).plan.hosts.length),
    floor: () => once(JSON.stringify(plan).length),
    change: () => once(plannedBy(whole, ledger).plan.hosts.length),
    changeFresh: () => once(plannedBy(whole, fresh()).plan.hosts.length),
    write: () => once(formatLedger(ledger).length),
    read: () => once(valueOf(parseLedger(ledgerText)).hosts.length),
    readFloor: () => once((JSON.parse(ledgerText) as Ledger).hosts.length),
  });
  const text = fileWith(everyHost);
  const files = interleave({ file: () => once(valueOf(parseFleet(text, "whole.yaml")).hosts.size) }, { rounds: 1 });
  const wholeTime = time(figures["whole"]);
  return [
    {
      name: "plan of half the fleet, cold",
      figure: time(figures["half"]),
      unit: "ms",
      ratio: wholeTime / time(figures["half"]),
      beside: "the whole (2 is even)",
    },
    {
      name: "plan of the whole fleet, cold",
      figure: wholeTime,
      unit: "ms",
      ratio: time(figures["floor"]) / wholeTime,
      beside: "writing it as JSON",
    },
    {
      name: "one host added, in a process that planned before",
      figure: time(figures["change"]),
      unit: "ms",
      ratio: time(figures["floor"]) / time(figures["change"]),
      beside: "writing it as JSON",
    },
    {
      name: "one host added, ledger just read",
      figure: time(figures["changeFresh"]),
      unit: "ms",
      ratio: time(figures["floor"]) / time(figures["changeFresh"]),
      beside: "writing it as JSON",
    },
    { name: "ledger to text", figure: time(figures["write"]), unit: "ms" },
    {
      name: "ledger from text, checked",
      figure: time(figures["read"]),
      unit: "ms",
      ratio: time(figures["readFloor"]) / time(figures["read"]),
      beside: "JSON.parse alone",
    },
    {
      name: `fleet file of ${Math.round(text.length / 1000)} kB, read and checked`,
      figure: time(files["file"]),
      unit: "ms",
    },
  ];
}

function once(result: number): number {
  kept += result;
  return 1;
}

function time(measured: { readonly opsPerSecond: number } | undefined): number {
  return 1000 / (measured?.opsPerSecond ?? Number.NaN);
}

function plannedBy(fleet: Fleet, ledger: Ledger): Allocation {
  return valueOf(allocate(fleet, ledger));
}

function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.errors.slice(0, 3).map(formatDiagnostic).join("\n"));
}

function fileWith(hosts: number): string {
  const networks = Array.from({ length: networksEach }, (_, i) => `n${i}: {}`).join(", ");
  const each = Array.from({ length: hosts }, (_, i) => {
    const docker = `{ engine: "28.5", networks: { ${networks} } }`;
    return `  host-${i}:\n    on: pve\n    public: { device: eth1 }\n    docker: ${docker}\n`;
  });
  return `sixgate: 1
fleet: bench
prefix: 2001:db8:1234:321d::/64
hypervisors:
  pve: { kind: ifupdown, bridges: { vmbr0: { network: wan, port: eno1 }, vmbr2: { network: lan } } }
gateway:
  kind: nftables
  on: pve
  uplink: { device: wan, mac: "02:00:5e:00:00:01" }
  hosts: { device: lan }
hosts:
${each.join("")}`;
}
