import { Failure } from "../../base/failure.ts";
import type { HostName } from "../../base/name.ts";
import { type Instant, instant } from "../../base/time.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { type Address, address } from "../../net/address.ts";
import { contains } from "../../net/prefix.ts";
import type { AddressChange, Held, MembersLane } from "../members-lane.ts";
import { roundsOf } from "../rounds.ts";
import type { LiveFlow } from "./flows.ts";
import { admissionTo } from "./lane-admission.ts";
import { readCounts } from "./lane-counts.ts";
import { askAgain, Cuts } from "./lane-cuts.ts";
import { changesOf, closesSomething, opensSomething, repairOf, type Step, stepOf, timedKey } from "./lane-steps.ts";
import type { LaneWays, SetChange } from "./lane-ways.ts";
import { type Member, memberKinds, membersOf, servicesOf } from "./members.ts";
import { memberSet } from "./set-shapes.ts";
import { placeFinder, shardsOf } from "./shards.ts";

/** Elements of nobody are taken out so many at a time. */
const strayBatch = 1000;
/** Where an address does not matter. */
const nowhere = address("::");

/** The members lane of an nftables gateway, by whatever way it gets at the kernel. */
export function laneOver<F extends LiveFlow>(ways: LaneWays<F>, desired: GatewayDesired): MembersLane {
  const blocks = new Map(desired.hosts.map(({ host, block }) => [host, block]));
  const cuts = new Cuts(ways, admissionTo(desired));
  // What was found in another form than we write: the elements themselves have to be known to be taken out.
  const odd = new Map<Address, readonly Member[]>();
  // What was found and belongs to no host. Whoever only reads takes nothing out.
  let strays: readonly SetChange[] = [];
  let earlier: Promise<unknown> = Promise.resolve();

  function mustBeInBlock({ host, to }: AddressChange): void {
    const block = blocks.get(host);
    if (block !== undefined && contains(block, to)) return;
    const text = block === undefined ? `Host "${host}" isn't behind this gateway` : `Not in ${host}'s block ${block}`;
    throw new Failure("E422", `${desired.device} opening to ${to}`, text, "open an address of the host's own block");
  }

  function stepFor(change: AddressChange): Step {
    return stepOf(change, odd.get(change.to) ?? membersOf(change.to, change.before), desired.hostLength);
  }

  async function go(changes: readonly AddressChange[], now: Instant, signal?: AbortSignal): Promise<void> {
    for (const each of changes) mustBeInBlock(each);
    const found = strays;
    strays = [];
    for (const each of found) await takeOut(ways, each, now, signal);
    for (const changesOfRound of roundsOf(changes)) {
      const round = changesOfRound.map(stepFor);
      signal?.throwIfAborted();
      cuts.throwIfFailed();
      // What opens where flows are still to be cut would let them on: nobody inherits.
      await cuts.settle(round.filter((each) => cuts.has(each.to) && opensSomething(each)).map(({ to }) => to));
      await write(ways, round, now, signal);
      for (const { to } of round) odd.delete(to);
      for (const each of round) if (closesSomething(each)) cuts.add(each.to, each.services);
    }
  }
  return {
    normalize: (services) => servicesOf(membersOf(nowhere, services)),
    async read(signal) {
      const found = await readAll(ways, desired, signal);
      strays = found.strays;
      odd.clear();
      for (const [to, members] of found.odd) odd.set(to, members);
      return found.held;
    },
    readAt: (to, signal) => readAddress(ways, desired, to, signal),
    counts: (hosts, signal) => readCounts(ways, desired, hosts, signal),
    change(changes, now, signal) {
      // One after the other: what a change closes is judged by the state that it leads to.
      const mine = earlier.then(() => go(changes, now, signal));
      earlier = mine.catch(() => undefined);
      return mine;
    },
    async end() {
      await earlier;
      try {
        await cuts.settle();
      } finally {
        cuts.stop();
        await ways.end();
      }
    },
  };
}

async function write(
  ways: LaneWays,
  steps: readonly Step[],
  now: Instant,
  signal: AbortSignal | undefined,
): Promise<void> {
  const changes = changesOf(steps, now);
  const again = askAgain(
    steps.filter(closesSomething).map(({ to }) => to),
    now,
  );
  if (changes.length + again.length === 0) return;
  const refused = await ways.write([...changes, ...again], now, signal);
  if (refused === undefined) return;
  const repaired = await repairOf(steps, changes, now, (set, kind) => ways.read(set, kind, now, signal));
  const refusedAgain = await ways.write([...repaired, ...again], now, signal);
  if (refusedAgain !== undefined) throw refusedAgain;
}

type Found = {
  readonly held: readonly Held[];
  readonly odd: ReadonlyMap<Address, readonly Member[]>;
  readonly strays: readonly SetChange[];
};

/**
 * All that is in the sets of the shards. What belongs to no host lets nothing in, but would when a host got its block:
 * it is to be taken out.
 */
async function readAll(ways: LaneWays, desired: GatewayDesired, signal: AbortSignal | undefined): Promise<Found> {
  const placeOf = placeFinder(desired);
  const held: Held[] = [];
  const odd = new Map<Address, readonly Member[]>();
  const strays: SetChange[] = [];
  for (const shard of shardsOf(desired)) {
    const crowd = new Crowd();
    for (const kind of memberKinds) {
      const set = memberSet(kind, shard);
      const nobodys: Member[] = [];
      for (const member of await ways.read(set, kind, instant(Date.now()), signal)) {
        if (crowd.joins(member)) continue;
        const place = placeOf(member.to);
        if (place?.shard === shard) crowd.begin(place.host, member);
        else nobodys.push(member);
      }
      for (let at = 0; at < nobodys.length; at += strayBatch)
        strays.push({ set, kind, gone: nobodys.slice(at, at + strayBatch), there: [] });
    }
    for (const { host, members } of crowd.all()) {
      const [{ to }] = members;
      const services = servicesOf(members);
      held.push({ host, to, services });
      if (isOdd(to, members, services)) odd.set(to, members);
    }
  }
  return { held, odd, strays };
}

/** The sets of one shard are read, each holding what the hosts of that shard have open. */
async function readAddress(
  ways: LaneWays,
  desired: GatewayDesired,
  to: Address,
  signal: AbortSignal | undefined,
): Promise<Held["services"]> {
  const place = placeFinder(desired)(to);
  if (place === undefined) return [];
  const members: Member[] = [];
  for (const kind of memberKinds) {
    const all = await ways.read(memberSet(kind, place.shard), kind, instant(Date.now()), signal);
    members.push(...all.filter((each) => each.to === to));
  }
  return servicesOf(members);
}

/** Members by address, in columns: most addresses have one member, and there may be a million of them. */
class Crowd {
  readonly #places = new Map<Address, number>();
  readonly #hosts: HostName[] = [];
  readonly #firsts: Member[] = [];
  readonly #others = new Map<number, Member[]>();

  /** Whether its address was there already. */
  joins(member: Member): boolean {
    const place = this.#places.get(member.to);
    if (place === undefined) return false;
    const others = this.#others.get(place);
    if (others === undefined) this.#others.set(place, [member]);
    else others.push(member);
    return true;
  }

  begin(host: HostName, member: Member): void {
    this.#places.set(member.to, this.#firsts.length);
    this.#hosts.push(host);
    this.#firsts.push(member);
  }

  *all(): Generator<{ readonly host: HostName; readonly members: readonly [Member, ...Member[]] }> {
    for (const [place, first] of this.#firsts.entries()) {
      const host = this.#hosts[place];
      if (host !== undefined) yield { host, members: [first, ...(this.#others.get(place) ?? [])] };
    }
  }
}

/** Who was refused it finds it again with the next reading. */
async function takeOut(ways: LaneWays, change: SetChange, now: Instant, signal?: AbortSignal): Promise<void> {
  await ways.write([change], now, signal);
}

/** Whether the elements are not those that we would write: only intervals can be had in more than one form. */
function isOdd(to: Address, members: readonly Member[], services: Held["services"]): boolean {
  if (members.every((each) => each.kind === "open" || each.kind === "live")) return false;
  const ours = new Set(membersOf(to, services).map(timedKey));
  return ours.size !== members.length || members.some((each) => !ours.has(timedKey(each)));
}
