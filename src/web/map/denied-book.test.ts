import { expect, test } from "vitest";
import { MemoryController } from "../../../test/web/memory-controller.ts";
import { instant } from "../../base/time.ts";
import type { ControllerEvent } from "../../controller/controller.ts";
import { address, fromBits, toBits } from "../../net/address.ts";
import { DeniedBook } from "./denied-book.ts";

const start = 1_700_000_000_000;
const to = address("2001:db8:1234:321d:23::80");
const denied = (
  from: string,
  at: number,
  change: Partial<Extract<ControllerEvent, { kind: "denied" }>> = {},
): ControllerEvent => ({
  kind: "denied",
  at: instant(at),
  from: address(from),
  to,
  transport: "tcp",
  port: 22,
  count: 1,
  ...change,
});

test("DeniedBook puts packets of one /64 to one port together, the newest group first", () => {
  const controller = new MemoryController();
  const book = new DeniedBook(controller);
  controller.emit(denied("2600:1::1", start, { count: 3 }));
  controller.emit(denied("2600:1::2", start + 1000));
  controller.emit(denied("2600:1::2", start + 1500, { port: 23 }));
  controller.emit(denied("2600:2::1", start + 2000, { transport: "icmpv6" }));
  const found = book.groups(start + 3000);
  expect(found.map(({ from, port, count }) => [from, port, count])).toEqual([
    ["2600:2::/64", 22, 1],
    ["2600:1::/64", 23, 1],
    ["2600:1::/64", 22, 4],
  ]);
  expect(found[2]).toMatchObject({ example: "2600:1::2", last: start + 1000 });
});

test("DeniedBook forgets packets after five minutes, each by itself", () => {
  const controller = new MemoryController();
  const book = new DeniedBook(controller);
  for (let i = 0; i < 10; i++) controller.emit(denied("2600:1::1", start + i * 60_000));
  expect(book.groups(start + 9 * 60_000)[0]?.count).toBe(5);
  expect(book.groups(start + 13 * 60_000)[0]?.count).toBe(1);
  expect(book.groups(start + 14 * 60_000)).toEqual([]);
});

test("DeniedBook keeps 2,000 groups in a scan, the newest, and lets go of the controller", () => {
  const controller = new MemoryController();
  const book = new DeniedBook(controller);
  for (let i = 0; i < 5000; i++)
    controller.emit(denied("2600::1", start + i, { to: fromBits(toBits(to) + BigInt(i)) }));
  const found = book.groups(start + 5000);
  expect(found).toHaveLength(2000);
  expect(found[0]?.to).toBe(fromBits(toBits(to) + 4999n));
  book.end();
  expect(controller.watchers).toBe(0);
});
