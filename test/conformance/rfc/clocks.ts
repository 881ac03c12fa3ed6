import { type Address, address, offset, parseAddress } from "../../../src/net/address.ts";
import { must } from "../../lab/harness.ts";
import { askSteps } from "./ask.ts";
import type { Bench } from "./bench.ts";
import { faultOf } from "./judge.ts";
import type { Reading, Timer } from "./table.ts";

/** What is wrong with each flow's clock, or undefined. The flows are made now, all at once. */
export async function timerFaults(bench: Bench, timers: readonly Timer[]): Promise<readonly (string | undefined)[]> {
  const asked = await askSteps(
    bench,
    timers.map(({ steps }) => steps),
  );
  const clocks = await flowClocks(bench);
  return timers.map(({ flow, steps, least }, at) => {
    const { number, outcomes } = asked[at] ?? { number: 0, outcomes: [] };
    const fault = faultOf({ what: flow, policy: "as written", steps }, outcomes);
    if (fault !== undefined) return fault;
    const left = clocks.get(peerOf(number));
    if (left === undefined) return `${flow}: the gateway has no state of it`;
    // The clock has run since the flow was made; a slow machine takes its time.
    return left >= least - 10 ? undefined : `${flow}: its state ends in ${left} s, not in ${least} s`;
  });
}

/** Seconds until the state of each flow ends, by its peer outside. */
export async function flowClocks(bench: Bench): Promise<ReadonlyMap<Address, number>> {
  const listed = await must(bench.lab.shell("fw"), ["conntrack", "-L", "-f", "ipv6"]);
  const clocks = new Map<Address, number>();
  for (const line of listed.split("\n")) {
    const left = /^\S+\s+\d+\s+(\d+) /.exec(line)?.[1];
    for (const [, text = ""] of line.matchAll(/(?:src|dst)=(\S+)/g)) {
      const found = parseAddress(text);
      if (left !== undefined && found !== undefined) clocks.set(found, Number(left));
    }
  }
  return clocks;
}

/** The address outside that a case has for itself; see notation.py. */
export function peerOf(number: number): Address {
  const found = offset(address("2001:db8:fffe::"), number);
  if (found === undefined) throw new RangeError(`No address for case ${number}`);
  return found;
}

/** What is wrong with a kernel setting, or undefined. */
export async function readingFault(bench: Bench, { on, sysctl, is, least }: Reading): Promise<string | undefined> {
  const text = (await must(bench.lab.shell(on), ["sysctl", "-n", sysctl])).trim();
  const value = Number(text);
  if (text === "" || Number.isNaN(value)) return `${sysctl} on ${on} is no number: ${text}`;
  if (is !== undefined && value !== is) return `${sysctl} on ${on} is ${value}, not ${is}`;
  if (least !== undefined && value < least) return `${sysctl} on ${on} is ${value}, less than ${least}`;
  return undefined;
}
