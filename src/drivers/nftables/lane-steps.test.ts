import { expect, test } from "vitest";
import type { HostName } from "../../base/name.ts";
import { type Instant, instant } from "../../base/time.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import type { OpenService } from "../../openings/opening.ts";
import type { AddressChange } from "../members-lane.ts";
import { roundsOf } from "../rounds.ts";
import { changesOf, closesSomething, opensSomething, repairOf, type Step, stepOf } from "./lane-steps.ts";
import { keyText, type Member, membersOf } from "./members.ts";

const host = "vm1" as HostName;
const [web, other] = [address("2001:db8:1:2:21::2"), address("2001:db8:1:2:31::2")];
const now = instant(1000);

function tcp(first: number, last = first, from = "::/0", ends?: Instant): OpenService {
  const service = { kind: "ports", transport: "tcp", ports: { first, last } } as const;
  return { service, from: [prefix(from)], ...(ends === undefined ? {} : { ends }) };
}

function step(before: readonly OpenService[], after: readonly OpenService[], to = web): Step {
  return stepOf({ host, to, before, after }, membersOf(to, before), 76);
}

function shown(steps: readonly Step[]): readonly string[] {
  return changesOf(steps, now).flatMap(({ set, gone, there }) => [
    ...gone.map((each) => `- ${set} ${keyText(each)}`),
    ...there.map((each) => `+ ${set} ${keyText(each)}`),
  ]);
}

test("changesOf names what is different, in the sets of the address's shard", () => {
  expect(shown([step([tcp(443), tcp(80)], [tcp(443), tcp(8000, 8099)]), step([], [tcp(22)], other)])).toEqual([
    `- open_02 ${web} . tcp . 80`,
    `+ from_02 ${web} . tcp . 8000-8099 . ::/0`,
    `+ open_03 ${other} . tcp . 22`,
  ]);
});

test("changesOf takes another end for another element, and puts nothing that has ended", () => {
  const [soon, late] = [instant(5000), instant(9000)];
  expect(shown([step([tcp(80, 80, "::/0", soon)], [tcp(80, 80, "::/0", late)])])).toEqual([
    `- open_02 ${web} . tcp . 80`,
    `+ open_02 ${web} . tcp . 80`,
  ]);
  expect(shown([step([], [tcp(80, 80, "::/0", now)])])).toEqual([]);
});

test("closesSomething and opensSomething look at what is let in, not for how long", () => {
  const [soon, late] = [tcp(80, 80, "::/0", instant(5000)), tcp(80, 80, "::/0", instant(9000))];
  expect([step([soon], [late]), step([soon], []), step([], [soon])].map(closesSomething)).toEqual([false, true, false]);
  expect([step([soon], [late]), step([soon], []), step([], [soon])].map(opensSomething)).toEqual([false, false, true]);
});

test("roundsOf makes changes of one address in turn, of others together", () => {
  const change = (to: typeof web, n: number): AddressChange => ({ host, to, before: [], after: [tcp(n)] });
  const [a, b, c] = [change(web, 1), change(other, 2), change(web, 3)];
  expect(roundsOf([a, b, c])).toEqual([[a, b], [c]]);
  expect(roundsOf([])).toEqual([]);
});

test("repairOf goes from what is there, in interval sets alone", async () => {
  const steps = [step([tcp(8000, 8099), tcp(80)], [tcp(8050, 8199)])];
  const there: readonly Member[] = [
    ...membersOf(web, [tcp(8000, 8010), tcp(9000, 9001)]),
    ...membersOf(other, [tcp(8000, 8010)]),
  ];
  const repaired = await repairOf(steps, changesOf(steps, now), now, () => Promise.resolve(there));
  expect(
    repaired.map(({ set, gone, there: put }) => ({ set, gone: gone.map(keyText), there: put.map(keyText) })),
  ).toEqual([
    { set: "open_02", gone: [`${web} . tcp . 80`], there: [] },
    {
      set: "from_02",
      gone: [`${web} . tcp . 8000-8010 . ::/0`, `${web} . tcp . 9000-9001 . ::/0`],
      there: [`${web} . tcp . 8050-8199 . ::/0`],
    },
  ]);
});
