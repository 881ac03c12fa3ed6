import type { GatewayDesired } from "../../desired/desired.ts";
import type { RenderedFile } from "../driver.ts";
import { type Chain, type Element, type Rule, type Ruleset, ruleLine, type SetShape, table } from "./ruleset.ts";
import { declarationOf } from "./set-shapes.ts";

export const bootPath = "/etc/sixgate/boot.nft";
export const unitPath = "/etc/systemd/system/sixgate-boot.service";
export const wantPath = "/etc/systemd/system/sysinit.target.d/50-sixgate.conf";

/** Every file that is ours on the device. */
export const bootPaths: readonly string[] = [bootPath, unitPath, wantPath];

export function bootFiles(desired: GatewayDesired, ruleset: Ruleset): readonly RenderedFile[] {
  return [
    { path: bootPath, text: bootText(desired, ruleset) },
    { path: unitPath, text: unitText },
    { path: wantPath, text: wantText },
  ];
}

/**
 * The table as one file. It loads in one transaction and names interfaces as text, so none has to be there yet.
 * Deleting the table first makes it safe to load by hand; the live table is only ever changed by deltas.
 */
function bootText(desired: GatewayDesired, { sets, chains, elements }: Ruleset): string {
  const members = Map.groupBy(elements, (each) => each.set);
  return [
    `# The filter of gateway ${desired.device}, made by sixgate from the fleet file: changes here are overwritten.`,
    "# Loaded at boot, before any interface is up. Everything is closed but for what is accepted below: what labels and",
    "# people opened is not in it, and is opened again by the controller.",
    `# ${desired.uplink} leads to the Internet, ${desired.inside} to the hosts; ${desired.delegated} is ours.`,
    `# To see what is in force: nft list table ${table}`,
    "",
    `add table ${table}`,
    `delete table ${table}`,
    "",
    `table ${table} {`,
    [...sets.map((each) => setBlock(each, members.get(each.name) ?? [])), ...chains.map(chainBlock)].join("\n\n"),
    "}",
    "",
  ].join("\n");
}

function setBlock(shape: SetShape, elements: readonly Element[]): string {
  return [
    `  # ${shape.why}`,
    `  ${shape.kind} ${shape.name} {`,
    ...declarationOf(shape).map((each) => `    ${each}`),
    ...(elements.length === 0
      ? []
      : ["    elements = {", ...elements.map((each) => `      ${elementText(each)},`), "    }"]),
    "  }",
  ].join("\n");
}

/** An element as nft reads it. */
export function elementText({ key, target }: Pick<Element, "key" | "target">): string {
  return target === undefined ? key : `${key} : goto ${target}`;
}

function chainBlock({ name, hook, why, rules }: Chain): string {
  return [
    `  # ${why}`,
    `  chain ${name} {`,
    ...(hook === undefined ? [] : [`    ${hookText(hook)}`, ""]),
    ...rules.map(ruleBlock),
    "  }",
  ].join("\n");
}

function ruleBlock(rule: Rule): string {
  return `    # ${rule.why}\n    ${ruleLine(rule)}`;
}

/** The line that makes a chain a base chain. */
export function hookText({ type, hook, priority, policy }: NonNullable<Chain["hook"]>): string {
  return `type ${type} hook ${hook} priority ${priority}; policy ${policy};`;
}

/**
 * Once per boot, after Debian's nftables.service, whose file may begin with `flush ruleset`, and before any network.
 * A table that is in force stays. Where the file does not load, nothing is forwarded: the chain below drops all that
 * crosses the machine, whoever switches forwarding on later; logins to the gateway stay as they are.
 */
const unitText = `[Unit]
Description=sixgate: close the gateway before the network comes up
Documentation=man:nft(8)
DefaultDependencies=no
Wants=network-pre.target
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
Environment=PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
ExecStart=/bin/sh -c 'nft list chain ${table} forward >/dev/null 2>&1 || nft -f ${bootPath} || { nft "add table ${table}; add chain ${table} forward { type filter hook forward priority 0; policy drop; }" || for each in /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv4/ip_forward; do echo 0 >"$$each"; done; exit 1; }'

[Install]
WantedBy=sysinit.target
`;

/** Enables the unit as a plain file, so that it can be written, read and compared like any other. */
const wantText = `# sixgate: the filter is part of every boot.
[Unit]
Wants=sixgate-boot.service
`;
