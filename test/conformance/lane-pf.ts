import type { GatewayDesired } from "../../src/desired/desired.ts";
import type { LaneKind } from "../../src/drivers/members-lane.ts";
import { opnsenseLane } from "../../src/drivers/opnsense/lane.ts";
import { pfsenseLane } from "../../src/drivers/pfsense/lane.ts";
import type { ApiWay } from "../../src/runtime/way.ts";
import type { Kernel, KernelState } from "../fakes/kernel.ts";
import type { FlowText, LaneTarget } from "./lane-bench.ts";
import { startOpnSense } from "./target-opnsense.ts";
import { startArticle } from "./target-pfsense.ts";

type Fake = {
  readonly device: { readonly kernel: Kernel; readonly faults: { set(name: "shell-lost", times?: number): void } };
  way(): ApiWay;
  stop(): Promise<void>;
};

/** The same gateway, as a firewall with pf has it. */
export function onPf(desired: GatewayDesired, driver: "pfsense" | "opnsense"): GatewayDesired {
  return { ...desired, driver, uplink: "vtnet0", inside: "vtnet2" };
}

function onFake(driver: "pfsense" | "opnsense", kind: LaneKind, start: () => Promise<Fake>): LaneTarget {
  return {
    name: driver,
    missing: () => Promise.resolve(undefined),
    async open(desired) {
      const fake = await start();
      const { kernel, faults } = fake.device;
      return {
        lane: () => kind.open(fake.way(), onPf(desired, driver)),
        async begin(flows) {
          for (const flow of flows) kernel.states.push(...statesOf(flow, kernel.states.length));
        },
        flows: () => Promise.resolve(flowsIn(kernel)),
        async blind() {
          faults.set("shell-lost", Number.POSITIVE_INFINITY);
        },
        close: () => fake.stop(),
      };
    },
  };
}

/** pf has two states for a flow through it: one where it comes in, one where it leaves. */
export function statesOf(flow: FlowText, number: number): readonly KernelState[] {
  const [from = "", , to = "", protocol = "", port = ""] = flow.split(" ");
  const id = (half: number): string => `${(2 * number + half + 1).toString(16).padStart(15, "0")}a`;
  const half = { protocol, from, to, port: Number(port) };
  return [
    { id: id(0), ...half },
    { id: id(1), ...half, out: true },
  ];
}

/** Flows of which any half is left. */
export function flowsIn({ states }: Kernel): readonly FlowText[] {
  return [
    ...new Set(states.map(({ from, to, protocol, port }) => `${from} > ${to} ${protocol} ${port}` as FlowText)),
  ].sort();
}

export const pfsenseLaneTarget: LaneTarget = onFake("pfsense", pfsenseLane, () => startArticle());
export const opnsenseLaneTarget: LaneTarget = onFake("opnsense", opnsenseLane, () => startOpnSense());
