import type { EngineDesired } from "../../desired/desired.ts";
import type { RenderedFile } from "../driver.ts";
import { bridgeName, userNetworks } from "./network.ts";
import { doorMark, doorOf, poolOf } from "./profile.ts";

export const dropInPath = "/etc/systemd/system/docker.service.d/60-sixgate.conf";
export const markPath = "/etc/sixgate/docker-door.nft";
/** On the rule, so that ours are told from what people put into DOCKER-USER. */
export const doorComment = "sixgate";
export const markTable = "sixgate-door";

type Way = { readonly to: string; readonly bridge: string };

/** Where packets from the gateway may go: our networks that are not internal, and what Docker takes from the pool. */
function ways(desired: EngineDesired): readonly Way[] {
  const named = userNetworks(desired)
    .filter((network) => !network.internal)
    .map((network): Way => ({ to: network.prefix, bridge: bridgeName(network.name) }));
  const pool = poolOf(desired);
  return pool === undefined ? named : [...named, { to: pool.base, bridge: "br-+" }];
}

/**
 * The rules in DOCKER-USER, each as `ip6tables -S` prints it less the leading `-A`. Docker never flushes that chain
 * and passes it first, so an accept there opens a `routed` network (27, 28).
 */
export function doorRules(desired: EngineDesired): readonly string[] {
  if (doorOf(desired) !== "iptables") return [];
  return ways(desired)
    .map(
      ({ to, bridge }) =>
        `DOCKER-USER -d ${to} -i ${desired.uplink} -o ${bridge} -m comment --comment ${doorComment} -j ACCEPT`,
    )
    .sort();
}

/** What each rule of the mark table says in its comment: the table is ours alone, so the comments tell what is in it. */
function markComments(desired: EngineDesired): readonly string[] {
  if (doorOf(desired) !== "fwmark") return [];
  return ways(desired)
    .map(({ to, bridge }) => `${desired.uplink} ${bridge} ${to}`)
    .sort();
}

/** The door as it should be found in the kernel, in either way. Sorted. */
export function doorLines(desired: EngineDesired): readonly string[] {
  return [...doorRules(desired), ...markComments(desired).map((comment) => `mark ${comment}`)];
}

function dropIn(lines: readonly string[]): RenderedFile {
  const head = [
    "# Written by sixgate: packets that the gateway let through may enter container networks.",
    "[Service]",
  ];
  return { path: dropInPath, text: `${[...head, ...lines].join("\n")}\n` };
}

/** For `nft -f`: replaces the table in one transaction, whether it is there or not. */
function markRules(desired: EngineDesired): string {
  const [mark] = doorMark.split("/");
  const lines = ways(desired).map(({ to, bridge }) => {
    const out = bridge.replace("+", "*");
    const match = `iifname "${desired.uplink}" oifname "${out}" ip6 daddr ${to}`;
    return `    ${match} meta mark set meta mark or ${mark} comment "${desired.uplink} ${bridge} ${to}"`;
  });
  return [
    "# Written by sixgate. Docker (bridge-accept-fwmark) accepts what is marked here, before its own filter at priority 0.",
    `table ip6 ${markTable}`,
    `delete table ip6 ${markTable}`,
    `table ip6 ${markTable} {`,
    "  chain door {",
    "    type filter hook forward priority -1; policy accept;",
    ...lines,
    "  }",
    "}",
    "",
  ].join("\n");
}

/** What makes the door come back with the engine after a reboot. */
export function doorFiles(desired: EngineDesired): readonly RenderedFile[] {
  switch (doorOf(desired)) {
    case "none":
      return [];
    case "fwmark":
      return [dropIn([`ExecStartPre=/usr/sbin/nft -f ${markPath}`]), { path: markPath, text: markRules(desired) }];
    case "iptables":
      return [
        dropIn(
          doorRules(desired).flatMap((rule) => [
            // The first one fails when the rule is not there yet, and may.
            `ExecStartPost=-/usr/sbin/ip6tables -w -D ${rule}`,
            `ExecStartPost=/usr/sbin/ip6tables -w -I ${rule}`,
          ]),
        ),
      ];
  }
}
