import type { Ran, Shell } from "../../../src/runtime/shell.ts";
import type { Anchor, Criteria, Line, Machine, Place, Rule } from "./model.ts";

// How pfctl(8), ifconfig(8) and netstat(1) of FreeBSD print it (print_rule, print_fromto and print_op of pfctl_parser.c).

/** A root shell of the machine, as far as the product asks it. */
export function shellOf(machine: Machine): Shell {
  const never = (): Promise<never> => Promise.reject(new Error("not asked of this shell"));
  return {
    name: "model",
    run: (argv) => Promise.resolve(answer(machine, argv)),
    read: never,
    list: never,
    write: never,
    remove: never,
  };
}

function answer(machine: Machine, argv: readonly string[]): Ran {
  const asked = argv.join(" ");
  const said = (stdout: string): Ran => ({ code: 0, stdout, stderr: "" });
  if (/^pfctl -v?si$/.test(asked))
    return said("Status: Enabled for 3 days 01:02:03   Debug: Urgent\n\nChecksum: 0x17\n");
  if (asked === "pfctl -a * -P -vvsr") return said(printLines(machine.lines));
  if (asked === "pfctl -a * -P -vvsn") return said("");
  if (asked === "pfctl -vsI")
    return said(
      ["all", ...machine.devices.map(({ name }) => (machine.skipped.includes(name) ? `${name} (skip)` : name))].join(
        "\n",
      ),
    );
  if (asked === "ifconfig -a") return said(interfaces(machine));
  if (asked === "netstat -rnW -f inet6") return said(routes(machine));
  if (argv[0] === "sh") return said(tables(machine, argv.slice(4)));
  return { code: 1, stdout: "", stderr: `not asked: ${asked}` };
}

function interfaces({ devices }: Machine): string {
  return devices
    .map(({ name, groups, addresses }) =>
      [
        `${name}: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500`,
        ...addresses.map(({ text }) => `\tinet6 ${text} prefixlen 80`),
        ...(groups.length === 0 ? [] : [`\tgroups: ${groups.join(" ")}`]),
        "",
      ].join("\n"),
    )
    .join("");
}

function routes({ routes: all }: Machine): string {
  const lines = all.map(({ text, device }) => `${text} fe80::1%${device} UGS 12 1500 ${device}`);
  return ["Routing tables", "", "Internet6:", "Destination Gateway Flags Nhop# Mtu Netif Expire", ...lines, ""].join(
    "\n",
  );
}

/** Anchor and name, pair by pair: a table that an anchor has not is that of the main rules. */
function tables({ tables: all }: Machine, asked: readonly string[]): string {
  let text = "";
  for (let at = 0; at < asked.length; at += 2) {
    const [anchor, name] = [asked[at], asked[at + 1]];
    const found =
      all.find((each) => each.name === name && each.anchor === anchor) ??
      all.find((each) => each.name === name && each.anchor === "");
    text += "= table\n";
    for (const entry of found?.entries ?? []) text += `   ${entry.not ? "!" : ""}${entry.text}\n`;
  }
  return text;
}

function printLines(lines: readonly Line[]): string {
  let number = 0;
  const print = (all: readonly Line[], indent: string): string =>
    all
      .map((line) => {
        const text = line.kind === "rule" ? ruleText(line) : `${anchorText(line)} {`;
        const counters = `${indent}  [ Evaluations: 12        Packets: 3         Bytes: 180         States: 1     ]\n`;
        const inner = line.kind === "rule" ? "" : `${print(line.rules, `${indent}  `)}${indent}}\n`;
        return `${indent}@${number++} ${text}\n${counters}${indent}  [ Inserted: uid 0 pid 71021 State Creations: 0     ]\n${inner}`;
      })
      .join("");
  return print(lines, "");
}

function anchorText(anchor: Anchor): string {
  return joined(`anchor "${anchor.name}"`, anchor.direction, anchor.quick && "quick", ...criteria(anchor));
}

function ruleText(rule: Rule): string {
  const actions = { pass: "pass", drop: "block drop", return: "block return", match: "match" } as const;
  return joined(
    actions[rule.action],
    rule.direction,
    rule.log && "log",
    rule.quick && "quick",
    ...criteria(rule),
    rule.action === "pass" && "keep state",
    rule.fragment === true && "fragment",
    rule.elsewhere,
    rule.label !== undefined && `label "${rule.label}"`,
    rule.tracker !== undefined && `ridentifier ${rule.tracker}`,
    rule.tag !== undefined && `tag "${rule.tag}"`,
    rule.tagged !== undefined && `${rule.tagged.not ? "! " : ""}tagged "${rule.tagged.tag}"`,
  );
}

type Words = readonly (string | false | undefined)[];

function criteria(rule: Criteria & Partial<Pick<Rule, "routeTo">>): Words {
  const { on, routeTo, receivedOn } = rule;
  return [
    on !== undefined && `on ${on.not ? "! " : ""}${on.text}`,
    routeTo !== undefined && `route-to (${routeTo.device} ${routeTo.hop})`,
    rule.family,
    rule.protocol !== undefined && `proto ${rule.protocol.text}`,
    ends(rule),
    receivedOn !== undefined && `${receivedOn.not ? "! " : ""}received-on ${receivedOn.device}`,
    rule.flags !== undefined && `flags ${rule.flags.text}`,
    rule.message !== undefined && `icmp6-type ${rule.message.text}`,
    rule.opaque,
    rule.chance !== undefined && `probability ${rule.chance}%`,
  ];
}

function ends({ from, fromPorts, to, toPorts }: Criteria): string {
  if (from.kind === "any" && to.kind === "any" && fromPorts === undefined && toPorts === undefined) return "all";
  return joined("from", placeText(from), fromPorts?.text, "to", placeText(to), toPorts?.text);
}

function placeText(place: Place): string {
  switch (place.kind) {
    case "any":
    case "no-route":
    case "urpf-failed":
      return place.kind;
    case "table":
      return `${place.not ? "! " : ""}<${place.name}:3>`;
    case "addresses":
    case "own":
      return `${place.not ? "! " : ""}${place.text}`;
  }
}

function joined(...words: Words): string {
  return words.filter((word) => word !== undefined && word !== false && word !== "").join(" ");
}
