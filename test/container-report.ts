import { address } from "../src/net/address.ts";
import type { ContainerReport } from "../src/openings/container-report.ts";

/** A running container in one network, that asks for nothing, as an agent reports it. */
export function containerReport(over: Partial<ContainerReport> = {}): ContainerReport {
  return {
    id: "a".repeat(64),
    name: "web",
    image: "web:1",
    mode: "bridge",
    state: "running",
    labels: {},
    imageLabels: {},
    published: [],
    exposed: [],
    endpoints: [{ network: "web", networkId: "e".repeat(64), address: address("2001:db8:1234:321d:23::80") }],
    ...over,
  };
}
