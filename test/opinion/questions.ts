import fc from "fast-check";
import { address } from "../../src/net/address.ts";
import { hardwareOf } from "./arena.ts";
import { frameOf, type Wanted } from "./frame.ts";
import type { Question } from "./opinion.ts";
import {
  destinations,
  hardwareAddresses,
  messages,
  ports,
  protocols,
  type Ruleset,
  rulesets,
  sources,
} from "./rulesets.ts";

const pick = <T>(of: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...of);
const rarely = fc.integer({ min: 0, max: 11 }).map((n) => n === 0);

/** Of TCP only what asks for a connection: SYN, with or without flags that do not matter. */
const wanted: fc.Arbitrary<Wanted> = fc
  .record({
    mac: pick(hardwareAddresses).map((text) => Number.parseInt(text.replaceAll(":", ""), 16)),
    from: pick(sources).map(address),
    to: pick(destinations).map(address),
    protocol: pick(protocols),
    fromPort: pick(ports),
    toPort: pick(ports),
    flags: pick([2, 2, 2, 2, 10, 34, 66, 194]),
    hops: pick([1, 2, 3, 64, 64, 64, 65, 255]),
    dscp: pick([0, 0, 8, 10, 46]),
    label: pick([0, 0, 5, 77_777]),
    hopByHop: rarely,
    options: rarely,
    routing: fc.tuple(rarely, pick([0, 2, 4])).map(([is, type]) => (is ? type : undefined)),
    fragment: fc.constant(false),
    padding: pick([0, 0, 20, 28, 60]),
    message: pick(messages),
  })
  // GRE of a version other than 0 is not tracked as everything else is.
  .map((all) => (all.protocol === 47 ? { ...all, fromPort: all.fromPort & ~7 } : all))
  .map(({ message, ...rest }) => (rest.protocol === 58 ? { ...rest, fromPort: message[0] * 256 + message[1] } : rest));

/** A ruleset and packets to ask it with. */
export const questions: fc.Arbitrary<Question> = questionsOf(rulesets);

export function questionsOf(of: fc.Arbitrary<Ruleset>): fc.Arbitrary<Question> {
  return fc
    .tuple(of, fc.array(fc.tuple(wanted, fc.constantFrom("wan", "wan", "lan")), { minLength: 48, maxLength: 48 }))
    .map(([{ setup, rules }, all]) => {
      const flows = new Set<string>();
      // The second packet of a flow is no first packet: the flow may have got a mark.
      const firsts = all.filter(([each]) => flows.size < flows.add(flowOf(each)).size);
      const made = firsts.map(([each, device], id) => ({ device, ...frameOf(each, id, device, hardwareOf(device)) }));
      return {
        setup,
        rules,
        frames: made.map(({ device, bytes }) => ({ device, bytes })),
        packets: made.map(({ packet }) => packet),
      };
    });
}

const withPorts: ReadonlySet<number> = new Set([6, 17, 132]);

/** What connection tracking knows a flow by. Echoes have numbers of their own. */
function flowOf({ from, to, protocol, fromPort, toPort }: Wanted): string {
  const flow = `${from} ${to} ${protocol}`;
  return withPorts.has(protocol) || protocol === 58 ? `${flow} ${fromPort} ${toPort}` : flow;
}
