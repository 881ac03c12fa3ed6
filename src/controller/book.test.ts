import { expect, test } from "vitest";
import { addressOn, Rig, report, rules, vm1, vm2 } from "../../test/openings-rig.ts";
import { address } from "../net/address.ts";

const [a1, a2, a3] = [addressOn(vm1, 1), addressOn(vm1, 2), addressOn(vm1, 3)];
const b1 = addressOn(vm2, 1);

async function rig(over = rules): Promise<Rig> {
  const made = new Rig(over);
  await made.start();
  return made;
}

test("Book opens what labels ask and policy grants, and closes it with the container", async () => {
  const on = await rig();
  on.snapshot(vm1, report(1, { open: "80", on: [a1] }), report(2, { open: "22; 443", on: [a2] }));
  expect(await on.open()).toEqual([`${a1} 80/tcp from ::/0`, `${a2} 443/tcp from ::/0`]);
  on.gone(vm1, 1);
  expect(await on.open()).toEqual([`${a2} 443/tcp from ::/0`]);
  on.put(vm1, report(3, { open: "8000", on: [a3] }));
  on.snapshot(vm1, report(3, { open: "8000", on: [a3] }));
  expect(await on.open()).toEqual([`${a3} 8000/tcp from ::/0`]);
});

test("Book opens nothing outside the host's block, nor at the host's own addresses", async () => {
  const on = await rig();
  on.snapshot(
    vm1,
    report(1, { open: "80", on: [b1] }),
    report(2, { open: "80", on: [address("2001:db8:1234:321d:20::1"), address("2001:db8:1234:321d:20::2")] }),
    report(3, { open: "80", on: [address("3fff::1")] }),
  );
  on.snapshot("vm9" as never, report(4, { open: "80", on: [a1] }));
  expect(await on.open()).toEqual([]);
});

test("Book gives an address to who got it last: a late end of the old owner closes nothing of the new one's", async () => {
  const on = await rig();
  on.snapshot(vm1, report(1, { open: "80", on: [a1] }));
  await on.open();
  on.put(vm1, report(2, { open: "443", on: [a1] }));
  expect(await on.open()).toEqual([`${a1} 443/tcp from ::/0`]);
  on.gone(vm1, 1);
  expect(await on.open()).toEqual([`${a1} 443/tcp from ::/0`]);
  on.gone(vm1, 2);
  expect(await on.open()).toEqual([]);
});

test("Book lets a new owner inherit nothing, also not what it asks for itself", async () => {
  const on = await rig();
  on.snapshot(vm1, report(1, { open: "80", on: [a1] }));
  await on.open();
  on.put(vm1, report(2, { on: [a1] }));
  expect(await on.open()).toEqual([]);
  on.put(vm1, report(1, { open: "80", on: [a1] }));
  expect(await on.open()).toEqual([]);
  on.gone(vm1, 2);
  on.put(vm1, report(1, { open: "80", on: [a1] }));
  expect(await on.open()).toEqual([`${a1} 80/tcp from ::/0`]);
  on.gateway.cut.length = 0;
  on.book.delta(vm1, [report(3, { open: "80", on: [a1] })], [report(1, {}).id], on.clock.now());
  expect(await on.open()).toEqual([`${a1} 80/tcp from ::/0`]);
  expect(on.gateway.cut).toEqual([`${a1} 80/tcp from ::/0`]);
});

test("Book opens an address that two of a snapshot claim for neither, until one is reported again", async () => {
  const on = await rig();
  on.snapshot(vm1, report(1, { open: "80", on: [a1] }), report(2, { open: "443", on: [a1] }));
  expect(await on.open()).toEqual([]);
  on.put(vm1, report(2, { open: "443", on: [a1] }));
  expect(await on.open()).toEqual([`${a1} 443/tcp from ::/0`]);
});

test("Book keeps what the gateway holds until the host has reported, host by host", async () => {
  const on = await rig();
  on.snapshot(vm1, report(1, { open: "80", on: [a1] }), report(2, { open: "80", on: [a2] }));
  on.snapshot(vm2, report(3, { open: "80", on: [b1] }));
  const before = await on.open();
  await on.restart();
  expect(await on.open()).toEqual(before);
  on.put(vm1, report(9, { open: "443", on: [a3] }));
  expect(await on.open()).toEqual(before);
  on.snapshot(vm1, report(2, { open: "80", on: [a2] }));
  expect(await on.open()).toEqual([`${a2} 80/tcp from ::/0`, `${b1} 80/tcp from ::/0`]);
  expect(on.book.heldHosts()).toEqual([vm2]);
  on.book.expireHost(vm2);
  expect(await on.open()).toEqual([`${a2} 80/tcp from ::/0`]);
  on.snapshot(vm2, report(3, { open: "80", on: [b1] }));
  expect(await on.open()).toContain(`${b1} 80/tcp from ::/0`);
});

test("Book closes a silent host, and opens again what its next snapshot has", async () => {
  const on = await rig();
  const web = report(1, { open: "80", on: [a1] });
  on.snapshot(vm1, web);
  await on.open();
  expect(on.book.expireHost(vm1)).toEqual([a1]);
  expect(await on.open()).toEqual([]);
  on.put(vm1, report(2, { open: "443", on: [a2] }));
  expect(await on.open()).toEqual([]);
  on.snapshot(vm1, web);
  expect(await on.open()).toEqual([`${a1} 80/tcp from ::/0`]);
});

test("Book closes what held elements of hosts that are in no fleet file", async () => {
  const on = await rig();
  on.gateway.foreignAdd("vm7" as never, address("2001:db8:1234:321d:72::5"), { service: { kind: "ping" }, from: [] });
  await on.restart();
  expect(await on.open()).toEqual([]);
});

test("Book lets %name stand for who has the name now, on any host", async () => {
  const on = await rig();
  on.snapshot(vm2, report(1, { open: "5432 from %web", on: [b1] }));
  on.snapshot(vm1);
  expect(await on.open()).toEqual([]);
  on.put(vm1, report(2, { name: "web", on: [a1] }));
  expect(await on.open()).toEqual([`${b1} 5432/tcp from ${a1}/128`]);
  on.put(vm1, report(3, { project: "web", on: [address("2001:db8:1234:321d:24::9")] }));
  expect(await on.open()).toEqual([`${b1} 5432/tcp from ${a1}/128,2001:db8:1234:321d:24::9/128`]);
  on.put(vm1, report(2, { name: "other", on: [a1] }));
  on.put(vm1, report(4, { on: [address("2001:db8:1234:321d:24::9")] }));
  expect(await on.open()).toEqual([]);
});

test("Book opens what sharers ask for at the address whose networks they share", async () => {
  const on = await rig();
  const sidecar = report(2, { mode: "container", sharesWith: "c1", open: "443" });
  on.snapshot(vm1, sidecar, report(1, { open: "80", on: [a1] }));
  expect(await on.open()).toEqual([`${a1} 443/tcp from ::/0`, `${a1} 80/tcp from ::/0`]);
  on.put(vm1, report(1, { open: "80", on: [a2] }));
  expect(await on.open()).toEqual([`${a2} 443/tcp from ::/0`, `${a2} 80/tcp from ::/0`]);
  on.gone(vm1, 1);
  expect(await on.open()).toEqual([]);
});

test("Book ends leases, and counts them from the first sighting also after a restart", async () => {
  const on = await rig();
  const web = report(1, { open: "80 for 60s; 443", on: [a1] });
  on.snapshot(vm1, web);
  expect(await on.open()).toHaveLength(2);
  await on.pass(40_000);
  await on.restart();
  on.snapshot(vm1, web);
  expect(await on.open()).toHaveLength(2);
  await on.pass(21_000);
  expect(await on.open()).toEqual([`${a1} 443/tcp from ::/0`]);
  on.snapshot(vm1, web);
  expect(await on.open()).toEqual([`${a1} 443/tcp from ::/0`]);
  expect(on.gateway.cut).toContain(`${a1} 80/tcp from ::/0`);
});

test("Book keeps limits: who has an opening keeps it, and who waits gets it when one goes", async () => {
  const on = await rig({
    ...rules,
    policy: { ...rules.policy, limits: { ...rules.policy.limits, perHost: 2, perContainer: 2 } },
  });
  on.snapshot(vm1, report(5, { open: "80", on: [a1] }));
  await on.open();
  on.put(vm1, report(1, { open: "8000,8001,8002", on: [a2] }));
  expect(await on.open()).toEqual([`${a1} 80/tcp from ::/0`, `${a2} 8000/tcp from ::/0`]);
  const book = on.book.host(vm1);
  const waiting = book.container(report(1, {}).id);
  expect(waiting && book.refusalsOf(waiting).map(({ code }) => code)).toEqual(["E918", "E918"]);
  on.gone(vm1, 5);
  expect(await on.open()).toEqual([`${a2} 8000/tcp from ::/0`, `${a2} 8001/tcp from ::/0`]);
});

test("Book keeps limits over a restart: what the gateway holds goes before", async () => {
  const limits = { ...rules.policy.limits, perHost: 1 };
  const on = await rig({ ...rules, policy: { ...rules.policy, limits } });
  on.snapshot(vm1, report(5, { open: "80", on: [a1] }));
  await on.open();
  on.put(vm1, report(1, { open: "80", on: [a2] }));
  expect(await on.open()).toEqual([`${a1} 80/tcp from ::/0`]);
  on.sightings.clear();
  await on.restart();
  on.snapshot(vm1, report(1, { open: "80", on: [a2] }), report(5, { open: "80", on: [a1] }));
  expect(await on.open()).toEqual([`${a1} 80/tcp from ::/0`]);
});

test("Book looks at no more of a host's requests than could be of use", async () => {
  const on = await rig({ ...rules, policy: { ...rules.policy, limits: { ...rules.policy.limits, perHost: 4 } } });
  const ports = Array.from({ length: 32 }, (_, n) => 8000 + 2 * n).join(",");
  const greedy = Array.from({ length: 300 }, (_, n) => report(n, { open: ports, on: [addressOn(vm1, n)] }));
  on.snapshot(vm1, ...greedy);
  expect(await on.open()).toHaveLength(4);
  const book = on.book.host(vm1);
  const all = [...book.containers()];
  expect(all.reduce((sum, { asked }) => sum + asked.requests.length, 0)).toBeLessThanOrEqual(4096 + 32);
  const last = all.at(-1);
  expect(last && book.refusalsOf(last).map(({ code }) => code)).toEqual(["E918"]);
});

test("Book asks everything again when the fleet file is another one", async () => {
  const on = await rig();
  on.snapshot(vm1, report(1, { open: "80; 443", on: [a1] }));
  await on.open();
  on.book.rebase(
    {
      ...rules,
      policy: { ...rules.policy, never: [{ kind: "ports", transport: "tcp", ports: { first: 80, last: 80 } }] },
    },
    on.clock.now(),
  );
  expect(await on.open()).toEqual([`${a1} 443/tcp from ::/0`]);
  on.book.rebase({ ...rules, hosts: new Map() }, on.clock.now());
  expect(await on.open()).toEqual([]);
  on.book.rebase(rules, on.clock.now());
  expect(await on.open()).toHaveLength(2);
});

test("Book lets leases go on as long as they were to when the clock is set", async () => {
  const on = await rig();
  const until = new Date(on.clock.now() + 30 * 60_000).toISOString();
  on.snapshot(vm1, report(1, { open: `80 for 10m; 443 until ${until}`, on: [a1] }));
  expect(await on.open()).toHaveLength(2);
  const hour = 3_600_000;
  on.clock.set((on.clock.now() + hour) as never);
  on.book.shift(hour, on.clock.now());
  await on.pass(1000);
  expect(await on.open()).toEqual([`${a1} 80/tcp from ::/0`]);
  await on.pass(9 * 60_000);
  expect(await on.open()).toEqual([`${a1} 80/tcp from ::/0`]);
  await on.pass(61_000);
  expect(await on.open()).toEqual([]);
});

test("Book lets nobody inherit, however often an address changes hands", async () => {
  const on = await rig();
  on.snapshot(vm1);
  for (let n = 0; n < 1000; n += 2) {
    const [before, after] = [report(n, { open: "80; 443", on: [a1] }), report(n + 1, { on: [a1] })];
    on.put(vm1, before);
    if (n % 3 > 0) expect(await on.open()).toHaveLength(2);
    on.put(vm1, after);
    if (n % 5 > 0) expect(await on.open()).toEqual([]);
    on.gone(vm1, n);
    expect(await on.open()).toEqual([]);
    on.gone(vm1, n + 1);
  }
  expect(await on.open()).toEqual([]);
  expect(on.gateway.log.every(({ before, after }) => before.length === 0 || after.length === 0)).toBe(true);
});
