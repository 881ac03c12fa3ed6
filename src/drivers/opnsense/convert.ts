import type { Item, Value } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { canonicalPlace } from "../pf/canonical.ts";
import { itemsOf, networkOf, sorted, structure } from "../pf/items.ts";
import { mark } from "../pf/names.ts";
import { fieldOf, textField } from "../pf/target.ts";
import type { Row } from "./api.ts";
import { deviceOf, type Reading, type RuleRow } from "./reading.ts";

/**
 * Where rules of ours stand among those of their interface. Blocks before everything; passes behind what people wrote, so
 * that they can forbid what the fleet allows.
 */
export const sequences = { first: 1, last: 900_000 } as const;

/** The form that `observe` reports. The mode of outbound NAT is not asked: rules of the API hold beside any. */
export function normalize(desired: GatewayDesired): readonly Item[] {
  return sorted([
    ...itemsOf(desired, { nowhere: true }).filter(({ key }) => key !== "nat4 mode"),
    ...networkOf(desired).links.map(({ name }) => structure(`interface ${name}`, { enabled: true })),
  ]);
}

/** A rule as the API takes it, made of its item. Undefined for an item that no rule of ours has. */
export function ruleBody(name: string, value: Value, id: string): Row | undefined {
  const [action, from, to, match] = ["action", "from", "to", "match"].map((each) => textField(value, each));
  if (action === undefined || from === undefined || to === undefined || match === undefined) return undefined;
  return {
    enabled: "1",
    sequence: String(fieldOf(value, "first") === true ? sequences.first : sequences.last),
    action,
    quick: "1",
    interface: id,
    direction: "in",
    ipprotocol: "inet6",
    ...matchBody(match),
    ...placeBody("source", from),
    ...placeBody("destination", to),
    description: `${mark}${name}`,
  };
}

function placeBody(side: string, place: string): Row {
  const not = place.startsWith("!");
  return { [`${side}_net`]: not ? place.slice(1) : place, [`${side}_not`]: not ? "1" : "0" };
}

function matchBody(match: string): Row {
  switch (match) {
    case "any":
      return { protocol: "any" };
    case "echo":
      return { protocol: "IPV6-ICMP", icmp6type: "128" };
    case "tcp udp":
      return { protocol: "TCP/UDP" };
    default: {
      const [protocol = "", port] = match.split(" ");
      return { protocol: protocol.toUpperCase(), destination_port: port };
    }
  }
}

/** A rule that was read, as its item. What ours never have (a gateway, another state, a source port) shows in `also`. */
export function parseRule(reading: Pick<Reading, "interfaces">, row: RuleRow, name: string): Item {
  const first = row.sequence <= sequences.first;
  const also = [
    ...(row.enabled ? [] : ["disabled"]),
    ...(row.ipprotocol === "inet6" ? [] : [row.ipprotocol ?? "any family"]),
    ...(row.source_port === undefined ? [] : [`source port ${row.source_port}`]),
    ...(row.gateway === undefined ? [] : [`gateway ${row.gateway}`]),
    ...(row.statetype === undefined || row.statetype === "keep" ? [] : [row.statetype]),
    ...(row.quick && row.direction === "in" ? [] : ["not quick or not in"]),
    ...(row.interfacenot ? ["on all but its interface"] : []),
    ...(first || row.sequence === sequences.last ? [] : [`sequence ${row.sequence}`]),
  ];
  return structure(`rule ${name}`, {
    action: row.action ?? "pass",
    on: (row.interface ?? "")
      .split(",")
      .map((each) => deviceOf(reading, each))
      .join(" "),
    from: placeOf(row.source_net, row.source_not),
    to: placeOf(row.destination_net, row.destination_not),
    match: matchOf(row),
    ...(first ? { first: true } : {}),
    ...(also.length === 0 ? {} : { also: also.join(", ") }),
  });
}

function placeOf(net: string | undefined, not: boolean): string {
  return canonicalPlace(`${not ? "!" : ""}${net ?? "any"}`);
}

function matchOf({ protocol, icmp6type, destination_port: port }: RuleRow): string {
  const name = (protocol ?? "any").toLowerCase();
  if (name === "any") return "any";
  if (name === "ipv6-icmp") return icmp6type === "128" ? "echo" : `icmp ${icmp6type ?? "any"}`;
  if (name === "tcp/udp") return port === undefined ? "tcp udp" : `tcp udp ${port}`;
  return port === undefined ? name : `${name} ${port}`;
}
