import type { Item, Value } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { canonicalPlace } from "../pf/canonical.ts";
import { itemsOf, networkOf, sorted, structure } from "../pf/items.ts";
import { mark } from "../pf/names.ts";
import { fieldOf, textField } from "../pf/target.ts";
import type { Row } from "./api.ts";
import { deviceOf, type Reading, type RuleRow } from "./reading.ts";

/** The form that `observe` reports. A route to nowhere is for those that have a shell: the API can't set it. */
export function normalize(desired: GatewayDesired): readonly Item[] {
  const { shell } = networkOf(desired);
  return sorted([
    ...itemsOf(desired, { nowhere: shell }),
    ...interfaces(desired),
    structure("rule trackers", "unique"),
  ]);
}

/** Interfaces are on, and those of the uplink know their next hops: that makes pfSense treat it as a WAN. */
function interfaces(desired: GatewayDesired): readonly Item[] {
  const { links, routes } = networkOf(desired);
  return links.map(({ name }) => {
    const hop = (to: string): string | null => {
      const route = routes.find((each) => String(each.to) === to);
      return route !== undefined && route.kind !== "unreachable" && route.device === name ? route.via : null;
    };
    return structure(`interface ${name}`, { enabled: true, gateway4: hop("0.0.0.0/0"), gateway6: hop("::/0") });
  });
}

/** A rule as the API takes it, made of its item. Undefined for an item that no rule of ours has. */
export function ruleBody(name: string, value: Value): Row | undefined {
  const [action, source, destination, match] = ["action", "from", "to", "match"].map((each) => textField(value, each));
  if (action === undefined || source === undefined || destination === undefined || match === undefined)
    return undefined;
  return {
    type: action,
    ipprotocol: "inet6",
    source,
    destination,
    descr: `${mark}${name}`,
    ...matchBody(match),
    ...(fieldOf(value, "first") === true ? { floating: true, quick: true, direction: "in" } : {}),
  };
}

function matchBody(match: string): Row {
  switch (match) {
    case "any":
      return {};
    case "echo":
      return { protocol: "icmp", icmptype: ["echoreq"] };
    case "tcp udp":
      return { protocol: "tcp/udp" };
    default: {
      const [protocol, port = ""] = match.split(" ");
      return { protocol, destination_port: port.replace("-", ":") };
    }
  }
}

/** A rule that was read, as its item. What ours never have (a gateway, another state, a source port) shows in `also`. */
export function parseRule(reading: Pick<Reading, "interfaces">, row: RuleRow, name: string): Item {
  const also = [
    ...(row.disabled ? ["disabled"] : []),
    ...(row.ipprotocol === "inet6" ? [] : [row.ipprotocol]),
    ...(row.source_port === undefined ? [] : [`source port ${row.source_port}`]),
    ...(row.gateway === undefined ? [] : [`gateway ${row.gateway}`]),
    ...(row.statetype === undefined || row.statetype === "keep state" ? [] : [row.statetype]),
    ...(row.floating && !(row.quick && row.direction === "in") ? ["not quick or not in"] : []),
  ];
  return structure(`rule ${name}`, {
    action: row.type,
    on: row.interface.map((each) => deviceOf(reading, each)).join(" "),
    from: canonicalPlace(row.source),
    to: canonicalPlace(row.destination),
    match: matchOf(row),
    ...(row.floating ? { first: true } : {}),
    ...(also.length === 0 ? {} : { also: also.join(", ") }),
  });
}

function matchOf({ protocol, icmptype, destination_port: port }: RuleRow): string {
  if (protocol === undefined) return "any";
  if (protocol === "icmp") return icmptype.join(" ") === "echoreq" ? "echo" : `icmp ${icmptype.join(" ")}`;
  if (protocol === "tcp/udp") return port === undefined ? "tcp udp" : `tcp udp ${port}`;
  return port === undefined ? protocol : `${protocol} ${port.replace(":", "-")}`;
}
