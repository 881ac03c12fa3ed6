import type { Instant } from "../../base/time.ts";
import type { Address } from "../../net/address.ts";
import type { OpenService } from "../../openings/opening.ts";
import type { AddressChange } from "../members-lane.ts";
import type { SetChange } from "./lane-ways.ts";
import { keyText, type Member, type MemberKind, membersOf } from "./members.ts";
import { memberSet } from "./set-shapes.ts";
import { shardOf } from "./shards.ts";

/** One address from a state to the next. */
export type Step = {
  readonly to: Address;
  readonly shard: string;
  readonly before: readonly Member[];
  readonly after: readonly Member[];
  /** What `after` was made from. */
  readonly services: readonly OpenService[];
};

/** `before` are the elements that are there; those of `change.before`, unless they were found in another form. */
export function stepOf({ to, after }: AddressChange, before: readonly Member[], hostLength: number): Step {
  return { to, shard: shardOf(to, hostLength), before, after: membersOf(to, after), services: after };
}

/** What is different, set by set. What has ended by `now` is not put there any more. */
export function changesOf(steps: readonly Step[], now: Instant): readonly SetChange[] {
  const sets = new SetChanges();
  for (const { shard, before, after } of steps) {
    const [old, next] = [timedKeys(before), timedKeys(after)];
    for (const member of before) if (!next.has(timedKey(member))) sets.at(shard, member).gone.push(member);
    for (const member of after) {
      if (!old.has(timedKey(member)) && !hasEnded(member, now)) sets.at(shard, member).there.push(member);
    }
  }
  return sets.all();
}

/** Whether something that was let in is not any more; another end alone closes nothing. */
export function closesSomething({ before, after }: Step): boolean {
  const next = new Set(after.map((each) => `${each.kind} ${keyText(each)}`));
  return before.some((each) => !next.has(`${each.kind} ${keyText(each)}`));
}

/** Whether something is let in that was not before. */
export function opensSomething({ before, after }: Step): boolean {
  const old = new Set(before.map((each) => `${each.kind} ${keyText(each)}`));
  return after.some((each) => !old.has(`${each.kind} ${keyText(each)}`));
}

/**
 * What is different from what `read` finds in the sets of `refused`, where the state was another than it was thought to
 * be. Sets that can't have been the reason are as they were.
 */
export async function repairOf(
  steps: readonly Step[],
  refused: readonly SetChange[],
  now: Instant,
  read: (set: string, kind: MemberKind) => Promise<readonly Member[]>,
): Promise<readonly SetChange[]> {
  const repaired: SetChange[] = [];
  for (const change of refused) {
    const { set, kind } = change;
    if (kind === "open" || kind === "live") {
      repaired.push(change);
      continue;
    }
    const mine = steps.filter((each) => memberSet(kind, each.shard) === set);
    const addresses = new Set(mine.map((each) => each.to));
    const found = (await read(set, kind)).filter((each) => addresses.has(each.to));
    const wanted = mine.flatMap((each) =>
      each.after.filter((member) => member.kind === kind && !hasEnded(member, now)),
    );
    const [old, next] = [timedKeys(found), timedKeys(wanted)];
    repaired.push({
      set,
      kind,
      gone: found.filter((each) => !next.has(timedKey(each))),
      there: wanted.filter((each) => !old.has(timedKey(each))),
    });
  }
  return repaired.filter(({ gone, there }) => gone.length + there.length > 0);
}

class SetChanges {
  readonly #sets = new Map<string, { set: string; kind: MemberKind; gone: Member[]; there: Member[] }>();

  at(shard: string, { kind }: Member): { gone: Member[]; there: Member[] } {
    const set = memberSet(kind, shard);
    const known = this.#sets.get(set);
    if (known !== undefined) return known;
    const made = { set, kind, gone: [], there: [] };
    this.#sets.set(set, made);
    return made;
  }

  all(): readonly SetChange[] {
    return [...this.#sets.values()];
  }
}

function hasEnded({ ends }: Member, now: Instant): boolean {
  return ends !== undefined && ends <= now;
}

/** An element with its end: one that ends at another time is another. */
export function timedKey(member: Member): string {
  return `${member.kind} ${keyText(member)} ${member.ends ?? ""}`;
}

function timedKeys(members: readonly Member[]): ReadonlySet<string> {
  return new Set(members.map(timedKey));
}
