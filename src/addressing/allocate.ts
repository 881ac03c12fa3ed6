import type { Code } from "../base/codes.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import type { HostName, NetworkName } from "../base/name.ts";
import { failed, ok, type Result } from "../base/result.ts";
import { prefixText } from "../fleet/delegation.ts";
import type { Fleet, Host } from "../fleet/fleet.ts";
import { contains, lengthOf } from "../net/prefix.ts";
import type { AddressPlan, HostPlan } from "./address-plan.ts";
import { layout } from "./block.ts";
import { rememberedBlocks } from "./block-memory.ts";
import type { Ledger, LedgerHost } from "./ledger.ts";
import { type Clash, giveNumbers, type Numbers, type Wish } from "./numbering.ts";

export type Allocation = { readonly plan: AddressPlan; readonly ledger: Ledger };

/**
 * Numbers the fleet. Pure: the same fleet and ledger give the same plan and ledger, whatever the order in the file.
 * What the ledger has never moves; the ledger that comes back has it all and what is new. Not checked: that the
 * fleet is sound (`parseFleet` does that).
 */
export function allocate(fleet: Fleet, ledger: Ledger): Result<Allocation> {
  const strange = checkLedger(fleet, ledger);
  if (strange.length > 0) return failed(strange);
  const kept = new Map(ledger.hosts.map((each) => [each.host, each]));
  const keptSlots = new Map(ledger.hosts.map(({ host, slot }) => [host, slot]));
  const slots = giveNumbers([...fleet.hosts.values()].map(slotWish), keptSlots, slotsOf(fleet));
  const errors = complaintsAbout(slots, "hosts", "slot", slotsFull(fleet, ledger));
  const hosts: LedgerHost[] = [];
  for (const host of fleet.hosts.values()) {
    const before = kept.get(host.name);
    const networks = numberNetworks(host, fleet, before?.networks ?? [], errors);
    const slot = slots.given.get(host.name);
    if (before !== undefined && before.networks === networks) hosts.push(before);
    else if (slot !== undefined) hosts.push({ host: host.name, slot, networks });
  }
  if (errors.length > 0) return failed(errors);
  hosts.push(...ledger.hosts.filter(({ host }) => !fleet.hosts.has(host)));
  hosts.sort((a, b) => a.slot - b.slot);
  const { host, network } = fleet.plan;
  const plan = planOf(fleet, hosts);
  const collisions = checkAddresses(fleet, plan);
  if (collisions.length > 0) return failed(collisions);
  return ok({ plan, ledger: { format: ledger.format, fleet: fleet.name, lengths: { host, network }, hosts } });
}

/** The highest slot. */
function slotsOf(fleet: Fleet): number {
  return 2 ** (fleet.plan.host - lengthOf(fleet.prefix)) - 1;
}

function slotWish(host: Host): Wish<HostName> {
  return host.slot === undefined ? { name: host.name } : { name: host.name, pinned: host.slot };
}

/**
 * All numbers of the host's networks for the ledger, those of networks that have left with them. The same array when
 * nothing is new: that is nearly every host, nearly always.
 */
function numberNetworks(
  host: Host,
  fleet: Fleet,
  before: LedgerHost["networks"],
  errors: Diagnostic[],
): LedgerHost["networks"] {
  const wanted = host.docker.networks;
  const last = 2 ** (fleet.plan.network - fleet.plan.host) - 1;
  if (isAsBefore(wanted, before, last)) return before;
  const wishes = [...wanted].map(
    ([name, { index }]): Wish<NetworkName> => (index === undefined ? { name } : { name, pinned: index }),
  );
  const keptNumbers = new Map(before.map(({ name, index }) => [name, index]));
  const numbers = giveNumbers(wishes, keptNumbers, last);
  const gone = before.flatMap(({ name }) => (wanted.has(name) ? [] : [name]));
  errors.push(...complaintsAbout(numbers, `hosts.${host.name}.docker.networks`, "index", blockFull(last - 1, gone)));
  const all = new Map([...keptNumbers, ...numbers.given]);
  if (all.size === before.length) return before;
  return [...all].map(([name, index]) => ({ name, index })).sort((a, b) => a.index - b.index);
}

/** The wanted networks are those of the ledger, no pin differs and no number is too high: nothing to give. */
function isAsBefore(wanted: Host["docker"]["networks"], before: LedgerHost["networks"], last: number): boolean {
  if (wanted.size !== before.length) return false;
  return before.every(({ name, index }) => {
    const network = wanted.get(name);
    return network !== undefined && (network.index ?? index) === index && index <= last;
  });
}

function planOf(fleet: Fleet, numbered: readonly LedgerHost[]): AddressPlan {
  const { at, block } = layout(fleet.prefix, fleet.plan);
  const blockOf = rememberedBlocks(fleet.prefix, fleet.plan, ({ host, slot, networks }) => ({
    host,
    ...block(slot, networks),
  }));
  const hosts: HostPlan[] = [];
  for (const each of numbered) {
    const wanted = fleet.hosts.get(each.host)?.docker.networks;
    if (wanted === undefined) continue;
    const present =
      each.networks.length === wanted.size ? each.networks : each.networks.filter(({ name }) => wanted.has(name));
    hosts.push(present === each.networks ? blockOf(each) : { host: each.host, ...block(each.slot, present) });
  }
  const uplink = at(1);
  return {
    delegated: fleet.prefix,
    hostLength: fleet.plan.host,
    linkLength: fleet.plan.link,
    infrastructure: at(0).block,
    uplink: { block: uplink.block, link: uplink.link, address: uplink.gateway },
    hosts,
  };
}

function complaint(code: Code, at: string, text: string, fix: string): Diagnostic {
  return { code, severity: "error", at, text, fix };
}

function checkLedger(fleet: Fleet, ledger: Ledger): readonly Diagnostic[] {
  const { host, network } = fleet.plan;
  if (ledger.fleet !== fleet.name) {
    return [
      complaint(
        "E304",
        "ledger",
        `The ledger is that of fleet ${ledger.fleet}, this is ${fleet.name}`,
        "use the ledger beside the fleet file, or none for a new fleet",
      ),
    ];
  }
  const { lengths } = ledger;
  if (lengths === undefined || (lengths.host === host && lengths.network === network)) return [];
  const text = `Its numbers count blocks of /${lengths.host} and networks of /${lengths.network}; with /${host} and /${network} every address would move`;
  return [
    complaint(
      "E305",
      "ledger",
      text,
      `set plan.host: /${lengths.host} and plan.network: /${lengths.network}, or start a new ledger and renumber`,
    ),
  ];
}

type Full = { readonly code: Code; readonly text: string; readonly fix: string };

function slotsFull(fleet: Fleet, ledger: Ledger): Full {
  const gone = ledger.hosts.filter(({ host }) => !fleet.hosts.has(host)).map(({ host }) => host);
  return {
    code: "E302",
    text: `No slot left: ${prefixText(fleet)} has ${slotsOf(fleet) - 1} for hosts`,
    fix: freeing(gone, "use a shorter prefix, or fewer hosts"),
  };
}

function blockFull(room: number, gone: readonly string[]): Full {
  return {
    code: "E303",
    text: `No number left: the block has ${room} for networks`,
    fix: freeing(gone, "use fewer networks"),
  };
}

function freeing(gone: readonly string[], otherwise: string): string {
  if (gone.length === 0) return otherwise;
  const some = gone.slice(0, 5).join(", ");
  return `take what is gone for good out of the ledger (${some}${gone.length > 5 ? ", …" : ""}), or ${otherwise}`;
}

function complaintsAbout<Name extends string>(
  numbers: Numbers<Name>,
  at: string,
  key: string,
  full: Full,
): Diagnostic[] {
  const clashes = numbers.clashes.map((clash) =>
    complaint(clashCodes[clash.kind], `${at}.${clash.name}`, ...clashText(clash, key)),
  );
  return [...clashes, ...numbers.unplaced.map((name) => complaint(full.code, `${at}.${name}`, full.text, full.fix))];
}

const clashCodes: Readonly<Record<Clash<string>["kind"], Code>> = { moved: "E301", taken: "E306", beyond: "E307" };

function clashText<Name extends string>(clash: Clash<Name>, key: string): [text: string, fix: string] {
  if (clash.kind === "moved") {
    const text = `${key}: ${clash.pinned}, but the ledger has given it ${clash.kept}: its addresses would move`;
    return [text, `write ${key}: ${clash.kept}, or none; to renumber it, take it out of the ledger first`];
  }
  if (clash.kind === "beyond") {
    return [
      `${key} ${clash.number} is beyond the last, ${clash.last}: the prefix has become too small for it`,
      "take it out of the ledger to renumber it, or use the prefix that it was numbered for",
    ];
  }
  return [
    `${key}: ${clash.pinned} belongs to ${clash.holder} in the ledger`,
    `use another ${key}, or none; if ${clash.holder} is gone for good, take it out of the ledger`,
  ];
}

/** What only the finished plan can tell: where openings lead, and that the provider's router has its address to itself. */
function checkAddresses(fleet: Fleet, plan: AddressPlan): readonly Diagnostic[] {
  const errors: Diagnostic[] = [];
  const { nextHop } = fleet.provider;
  const shadowed = plan.hosts.find(({ block }) => contains(block, nextHop));
  if (shadowed !== undefined) {
    errors.push(
      complaint(
        "E308",
        "provider.next-hop",
        `${nextHop} lies in ${shadowed.block}, the block of ${shadowed.host}`,
        `give ${shadowed.host} another slot`,
      ),
    );
  }
  for (const { to, at } of fleet.openings) {
    if (to.kind !== "address") continue;
    const owner = plan.hosts.find(({ block }) => contains(block, to.address));
    if (owner === undefined) {
      errors.push(
        complaint(
          "E223",
          at,
          `${to.address} is in no host's block`,
          "name host/container, or an address that `sixgate addr` shows",
        ),
      );
    } else if (to.address === owner.gateway) {
      errors.push(
        complaint(
          "E223",
          at,
          `${to.address} is the gateway's own, not one of ${owner.host}`,
          `the host's address is ${owner.address}`,
        ),
      );
    }
  }
  return errors;
}
