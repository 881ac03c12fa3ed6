import { expect, test } from "vitest";
import { layerOf } from "../../../test/conformance/states.ts";
import { parse, unified } from "../../../test/fakes/pve/interfaces.ts";
import type { Row } from "./api.ts";
import { fieldsIn } from "./bridge-fields.ts";
import { withoutOwnEdits } from "./own-edits.ts";

const api = 'api: { url: "https://127.0.0.1:8006", key: env:TOKEN }';
const desired = layerOf("hypervisor", "pve", { hypervisor: ["node: pve", api], lan: "10.10.10.5/24" });

const head = "auto lo\niface lo inet loopback\n\niface enp1s0 inet manual\n";
const vmbr7 = (more = ""): string =>
  `\nauto vmbr7\niface vmbr7 inet static\n\taddress 192.168.7.1/24\n\tbridge-ports none\n\tbridge-stp off\n\tbridge-fd 0\n${more}#theirs\n`;
const bridge = (name: string, lines: string, comment: string): string =>
  `\nauto ${name}\niface ${name} inet ${lines.includes("address") ? "static" : "manual"}\n${lines}\tbridge-stp off\n\tbridge-fd 0\n#${comment}\n`;
const vmbr0 = (address = "203.0.113.162/32", comment = "sixgate: wan (uplink)"): string =>
  bridge("vmbr0", `\taddress ${address}\n\tgateway 203.0.113.129\n\tbridge-ports enp1s0\n`, comment);
const vmbr1 = (address = "\taddress 10.10.10.5/24\n", comment = "sixgate: mgmt (management)"): string =>
  bridge("vmbr1", `${address}\tbridge-ports none\n`, comment);
const old = head + vmbr7() + vmbr0("203.0.113.170/32") + vmbr1("");

function rows(text: string): ReadonlyMap<string, Row> {
  return parse(text, ["enp1s0"]);
}

/** The bridges in force as read out of the diff, in the API's words; undefined where the edits are not ours alone. */
function inForce(before: string, now: string): Readonly<Record<string, unknown>> | undefined {
  const found = withoutOwnEdits(rows(now), unified(before, now), desired);
  return found && Object.fromEntries([...found].map(([name, row]) => [name, fieldsIn(row)]));
}

function fieldsOf(text: string): unknown {
  return Object.fromEntries([...rows(text)].map(([name, row]) => [name, fieldsIn(row)]));
}

test.each([
  ["an address of a bridge", old, head + vmbr7() + vmbr0() + vmbr1("")],
  ["two bridges", old, head + vmbr7() + vmbr0() + vmbr1()],
  [
    "a comment alone, far from the name of its bridge",
    head + vmbr0("203.0.113.162/32", "sixgate: of before"),
    head + vmbr0(),
  ],
  ["a bridge made", head + vmbr7(), head + vmbr7() + vmbr0()],
  [
    "a bridge of ours removed",
    head + vmbr7() + bridge("vmbr5", "\tbridge-ports none\n", "sixgate: gone"),
    head + vmbr7(),
  ],
  [
    "a bridge of ours between others removed",
    old.replace(vmbr7(), bridge("vmbr5", "", "sixgate: gone") + vmbr7()),
    old.replace(vmbr0("203.0.113.170/32"), vmbr0()),
  ],
  [
    "IPv6 taken from a bridge",
    `${head}${vmbr1()}\niface vmbr1 inet6 static\n\taddress 2001:db8::1/64\n\tgateway 2001:db8::2\n`,
    head + vmbr1(),
  ],
  ["a card that Proxmox names by itself", "auto lo\niface lo inet loopback\n", head + vmbr0()],
])("withoutOwnEdits reads what is in force out of %s", (_, before, now) => {
  expect(inForce(before, now)).toEqual(fieldsOf(before));
});

test.each([
  ["a bridge of somebody's", old, old + bridge("vmbr9", "\tbridge-ports none\n", "")],
  ["an address of somebody's", old, old.replace("192.168.7.1", "192.168.7.2")],
  ["a line beside ours", old, head + vmbr7("\tmtu 1400\n") + vmbr0() + vmbr1()],
  ["another address on a bridge of the fleet", old, head + vmbr7() + vmbr0("203.0.113.180/32") + vmbr1("")],
  [
    "an MTU on a bridge of the fleet",
    old,
    old.replace("\tbridge-ports enp1s0\n", "\tbridge-ports enp1s0\n\tmtu 1400\n"),
  ],
  [
    "a command on a bridge of the fleet",
    old,
    head + vmbr7() + vmbr0().replace("#sixgate", "\tpost-up echo theirs\n#sixgate") + vmbr1(""),
  ],
  ["a bridge without our mark removed", old, old.replace(vmbr7(), "")],
  ["a file that is to be read in", old, `${old}\nsource /etc/network/interfaces.d/*\n`],
  [
    "a card that gets an address",
    old,
    old.replace("iface enp1s0 inet manual\n", "iface enp1s0 inet static\n\taddress 192.0.2.1/24\n"),
  ],
  ["a bridge of the fleet removed", old, old.replace(vmbr1(""), "")],
])("withoutOwnEdits takes %s for somebody's", (_, before, now) => {
  expect(inForce(before, now)).toBeUndefined();
});
