import { createHash } from "node:crypto";
import type { HostName } from "../../src/base/name.ts";
import { instant } from "../../src/base/time.ts";
import type { OpeningView, RefusalView, SuggestionView } from "../../src/controller/controller.ts";
import { address } from "../../src/net/address.ts";
import { prefix } from "../../src/net/prefix.ts";
import type { ContainerReport } from "../../src/openings/container-report.ts";
import { containerReport } from "../container-report.ts";

export const vm1 = "vm1" as HostName;

/** An opening that a label asked for on vm1/web. */
export function opening(id: string, change: Partial<OpeningView> = {}): OpeningView {
  return {
    id,
    host: vm1,
    container: { id: "a".repeat(64), name: "web" },
    to: address("2001:db8:1234:321d:23::80"),
    service: { kind: "ports", transport: "tcp", ports: { first: 443, last: 443 } },
    from: [prefix("::/0")],
    state: "open",
    askedBy: { kind: "label", name: "web", text: "443" },
    grantedBy: "allow[0]",
    since: instant(1_700_000_000_000),
    ...change,
  };
}

export function refusal(change: Partial<RefusalView> = {}): RefusalView {
  return {
    host: vm1,
    container: { id: "b".repeat(64), name: "db" },
    to: address("2001:db8:1234:321d:22::5432"),
    at: "sixgate.open rule 1 column 1",
    text: "5432",
    code: "E223",
    why: "No rule allows it",
    fix: "add a rule to policy.allow",
    since: instant(1_700_000_000_000),
    ...change,
  };
}

export function suggestion(change: Partial<SuggestionView> = {}): SuggestionView {
  return {
    host: vm1,
    container: { id: "c".repeat(64), name: "cache" },
    address: address("2001:db8:1234:321d:22::99"),
    transport: "tcp",
    ports: { first: 6379, last: 6379 },
    declared: "exposed",
    label: "sixgate.open=6379",
    ...change,
  };
}

/** A running container of network `front` with one address, as an agent reports it. */
export function container(name: string, at: string, change: Partial<ContainerReport> = {}): ContainerReport {
  return containerReport({
    id: createHash("sha256").update(`${name} ${at}`).digest("hex"),
    name,
    image: "nginx",
    endpoints: [{ network: "front", networkId: "e".repeat(64), address: address(at) }],
    ...change,
  });
}
