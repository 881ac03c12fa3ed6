import { expect, test } from "vitest";
import { withApi } from "../../../test/web/bench.ts";
import { opening, vm1 } from "../../../test/web/views.ts";
import { Failure } from "../../base/failure.ts";
import type { HostName } from "../../base/name.ts";
import { type Instant, instant } from "../../base/time.ts";
import type { Count } from "../../drivers/members-lane.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import type { Service } from "../../openings/opening.ts";
import { Traffic } from "./traffic.ts";

const to = address("2001:db8:1234:321d:23::80");
const anywhere = [prefix("::/0")];
const tcp = (first: number, last = first): Service => ({ kind: "ports", transport: "tcp", ports: { first, last } });
const count = (service: Service, packets: number, from = anywhere): Count => ({
  to,
  service,
  from,
  packets,
  bytes: packets * 60,
});

/** A gateway that answers when it is told to, and says how often it was asked, and for whom. */
function gateway(answer: () => readonly Count[] | undefined): {
  readonly counts: (hosts: readonly HostName[]) => Promise<readonly Count[] | undefined>;
  readonly asked: (readonly HostName[])[];
} {
  const asked: (readonly HostName[])[] = [];
  return {
    asked,
    async counts(hosts) {
      asked.push(hosts);
      return answer();
    },
  };
}

test("Traffic gives each opening what its elements counted, by service, source and address", async () => {
  const office = [prefix("2001:db8:aaaa::/48")];
  const { counts } = gateway(() => [
    count(tcp(443), 5),
    count(tcp(8000, 8099), 7),
    count(tcp(22), 1, [prefix("2001:db8:aaaa::5/128")]),
    count({ kind: "ping" }, 9),
    { ...count(tcp(443), 100), to: address("2001:db8:1234:321d:23::81") },
  ]);
  const traffic = new Traffic({ counts }, () => instant(1000));
  const found = await traffic.of([
    opening("a"),
    opening("b", { service: tcp(8000, 8099) }),
    opening("c", { service: tcp(22), from: office }),
    opening("d", { service: tcp(22), from: [prefix("3fff::/20")] }),
    opening("e", { service: { kind: "ping" } }),
  ]);
  expect(found).toEqual([
    { packets: 5, bytes: 300, at: 1000 },
    { packets: 7, bytes: 420, at: 1000 },
    { packets: 1, bytes: 60, at: 1000 },
    { why: "The gateway has no counter for it" },
    { packets: 9, bytes: 540, at: 1000 },
  ]);
});

test("Traffic asks the gateway once in five seconds, however many look at once, and for their hosts only", async () => {
  const { counts, asked } = gateway(() => [count(tcp(443), 1)]);
  let now: Instant = instant(0);
  const traffic = new Traffic({ counts }, () => now);
  const other = opening("z", { host: "vm2" as HostName });
  await Promise.all(Array.from({ length: 20 }, () => traffic.of([opening("a")])));
  await traffic.of([opening("a"), other]);
  expect(asked).toEqual([[vm1], ["vm2"]]);
  now = instant(5000);
  await traffic.of([opening("a")]);
  expect(asked).toHaveLength(3);
  expect(await traffic.of([])).toEqual([]);
  expect(asked).toHaveLength(3);
});

test("Traffic says why it does not know: unknown is not 0", async () => {
  const none = new Traffic(
    gateway(() => undefined),
    () => instant(0),
  );
  expect(await none.of([opening("a")])).toEqual([{ why: "This gateway does not count" }]);
  const away = new Traffic(
    { counts: () => Promise.reject(new Failure("E503", "fw", "Not reached", "look at the gateway")) },
    () => instant(0),
  );
  expect(await away.of([opening("a")])).toEqual([{ why: "The gateway can't be read: Not reached" }]);
});

test("GET /traffic answers for what is open, and refuses long lists", async () => {
  await withApi(async (stand) => {
    stand.controller.scene.openings.set("vm1", [opening("a")]);
    stand.controller.scene.counts = [count(tcp(443), 3)];
    const found = await stand.json("/api/v1/traffic?ids=a,gone,a");
    expect(found["entries"]).toMatchObject([{ id: "a", packets: 3, bytes: 180 }]);
    const ids = Array.from({ length: 101 }, (_, n) => `o${n}`).join();
    expect((await stand.ask(`/api/v1/traffic?ids=${ids}`)).status).toBe(400);
    expect((await stand.ask("/api/v1/traffic")).status).toBe(400);
  });
});
