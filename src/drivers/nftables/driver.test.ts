import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { gatewayState, hostAt, tcp, udp } from "../../../test/gateway-state.ts";
import { Failure } from "../../base/failure.ts";
import type { HostName } from "../../base/name.ts";
import { seconds } from "../../base/time.ts";
import type { Change } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { type Node, startNode, stopNode } from "../../lab/node.ts";
import { address } from "../../net/address.ts";
import { prefix4 } from "../../net/ipv4.ts";
import { prefix } from "../../net/prefix.ts";
import type { Opening, Service } from "../../openings/opening.ts";
import { closedPolicy } from "../../openings/policy.ts";
import type { Shell } from "../../runtime/shell.ts";
import type { Pending } from "../driver.ts";
import { nftables } from "./driver.ts";

// Hundreds of programs are started, one after the other.
vi.setConfig({ testTimeout: 120_000 });
const root = process.getuid?.() === 0;
const testAsRoot = test.skipIf(!root);
let node: Node | undefined;
let shell: Shell;

beforeAll(async () => {
  if (!root) return;
  node = await startNode("nftables-test");
  shell = node.shell;
  // What the driver writes goes with the namespace.
  await must("mount -t tmpfs tmpfs /etc");
});

afterAll(async () => {
  if (node !== undefined) await stopNode(node.pid);
});

beforeEach(async () => {
  if (root) await must("nft flush ruleset; conntrack -F 2>/dev/null; rm -rf /etc/sixgate /etc/systemd");
});

async function must(script: string, input?: string): Promise<string> {
  const ran = await shell.run(["sh", "-c", script], input === undefined ? {} : { input });
  if (ran.code !== 0) throw new Error(`${script}: ${ran.stderr}`);
  return ran.stdout;
}

const ping: Service = { kind: "ping" };

function opening(name: string, to: string, service: Service, ...from: readonly string[]): Opening {
  return {
    host: name as HostName,
    to: address(to),
    service,
    from: (from.length === 0 ? ["::/0"] : from).map(prefix),
    askedBy: "test",
  };
}

const empty: GatewayDesired = gatewayState({
  management: { device: "mgmt", admins: [prefix4("10.10.10.0/24"), prefix("2001:db8:ff::/48")] },
  own: [address("2001:db8:1:2:10::1"), address("2001:db8:1:2:20::1"), address("2001:db8:1:2:30::1")],
  hosts: [hostAt("vm1", 2), hostAt("vm-2", 3)],
  policy: { betweenHosts: "open", egress: "open", openings: closedPolicy },
  bogons: ["::/96", "::ffff:0:0/96", "2001:db8:8000::/33", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"].map(
    prefix,
  ),
});
const opened: GatewayDesired = {
  ...empty,
  openings: [
    opening("vm1", "2001:db8:1:2:21::2", tcp(443)),
    opening("vm1", "2001:db8:1:2:21::2", tcp(8000, 8099)),
    opening("vm1", "2001:db8:1:2:21::2", ping),
    opening("vm1", "2001:db8:1:2:21::3", ping, "2001:db8:ff::/48", "2001:db8:fe::1/128"),
    opening("vm-2", "2001:db8:1:2:31::2", udp(53)),
    opening("vm-2", "2001:db8:1:2:31::2", tcp(22), "2001:db8:ff::/48"),
  ],
};
const changed: GatewayDesired = {
  ...empty,
  openings: [
    opening("vm1", "2001:db8:1:2:21::2", tcp(443)),
    opening("vm1", "2001:db8:1:2:21::2", tcp(8050, 8199)),
    opening("vm1", "2001:db8:1:2:21::2", tcp(8100, 8300), "2001:db8:ff::/48"),
    opening("vm-2", "2001:db8:1:2:31::2", tcp(22), "2001:db8:ff:1::/64"),
  ],
};
const withoutHost: GatewayDesired = {
  ...empty,
  hosts: [hostAt("vm1", 2)],
  openings: changed.openings.filter((each) => each.host === "vm1"),
};
const closed: GatewayDesired = {
  ...opened,
  policy: { betweenHosts: "closed", egress: "closed", openings: closedPolicy },
};

async function plan(desired: GatewayDesired): Promise<{ readonly base: string; readonly changes: readonly Change[] }> {
  const observed = await nftables.at(shell, desired).observe();
  return { base: observed.revision, changes: diff(observed.items, nftables.normalize(desired)) };
}

async function apply(desired: GatewayDesired, within = 60): Promise<Pending> {
  const set = { device: desired.device, layer: "gateway" as const, driver: "nftables", ...(await plan(desired)) };
  return nftables.at(shell, desired).apply(set, seconds(within));
}

async function settle(desired: GatewayDesired): Promise<void> {
  await (await apply(desired)).confirm();
}

const table = (): Promise<string> => must("nft -s list table inet sixgate");

async function flow(to: string, dport: number, from = "2001:db8:77::1", sport = 40_000): Promise<void> {
  await must(
    `conntrack -I -p tcp -s ${from} -d ${to} --sport ${sport} --dport ${dport} --state ESTABLISHED -t 300 -u ASSURED`,
  );
}

async function flows(): Promise<readonly string[]> {
  const text = await must("conntrack -L -f ipv6");
  return [...text.matchAll(/ESTABLISHED src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/g)]
    .map(([, from = "", to = "", , port = ""]) => `${from} > ${to} ${port}`)
    .sort();
}

testAsRoot("apply leads from state to state and leaves nothing to plan", async () => {
  for (const desired of [empty, opened, changed, withoutHost, closed, opened, empty]) {
    await settle(desired);
    expect((await plan(desired)).changes).toEqual([]);
  }
});

testAsRoot("apply ends where the boot file does", async () => {
  for (const desired of [opened, changed, closed]) {
    await settle(desired);
    const applied = await nftables.at(shell, desired).observe();
    await must("nft flush ruleset && nft -f /etc/sixgate/boot.nft");
    expect((await nftables.at(shell, desired).observe()).items).toEqual(applied.items);
  }
});

testAsRoot("apply of openings touches nothing but elements", async () => {
  await settle(opened);
  const before = await must("nft -a list table inet sixgate | grep -E 'handle [0-9]+$' | grep -v element");
  await settle(changed);
  expect(await must("nft -a list table inet sixgate | grep -E 'handle [0-9]+$' | grep -v element")).toBe(before);
});

testAsRoot("observe shows what is not ours, and apply puts it right", async () => {
  await settle(opened);
  await must("nft insert rule inet sixgate forward accept");
  await must("nft add rule inet sixgate openings tcp dport 22 accept");
  await must("nft add chain inet sixgate mine && nft add rule inet sixgate openings jump mine");
  await must("nft add set inet sixgate odd '{ type mark; elements = { 7 }; }' && nft add counter inet sixgate seen");
  await must("nft add element inet sixgate static_open '{ 2001:db8:1:2:21::2 . tcp . 22 }'");
  await must("nft add chain inet sixgate input '{ policy accept; }'");
  const { changes } = await plan(opened);
  expect(changes.map((each) => `${each.kind} ${each.kind === "delete" ? each.before.key : each.after.key}`)).toEqual([
    "update chain forward",
    "update chain input",
    "delete chain mine",
    "update chain openings",
    "delete counter seen",
    "delete element static_open 2001:db8:1:2:21::2 . tcp . 22",
    "delete set odd",
  ]);
  await settle(opened);
  expect((await plan(opened)).changes).toEqual([]);
});

testAsRoot("observe shows a table that sleeps, a rule that is gone and rules in another order", async () => {
  await settle(opened);
  await must("nft add table inet sixgate '{ flags dormant; }'");
  expect((await plan(opened)).changes.map((each) => each.kind)).toEqual(["update"]);
  await settle(opened);
  expect((await plan(opened)).changes).toEqual([]);
  expect(await table()).not.toContain("dormant");
  await must(
    "nft delete rule inet sixgate sources handle $(nft -a list chain inet sixgate sources | sed -n 's/.*drop.*handle //p' | tail -1)",
  );
  expect((await plan(opened)).changes).toMatchObject([{ kind: "update", after: { key: "chain sources" } }]);
  await settle(opened);
  expect((await plan(opened)).changes).toEqual([]);
});

testAsRoot("apply rebuilds a set of another type", async () => {
  await settle(opened);
  await must("nft flush chain inet sixgate forward && nft flush chain inet sixgate input");
  await must(
    "nft flush chain inet sixgate sources && nft flush chain inet sixgate neighbours && nft delete set inet sixgate owners && nft add set inet sixgate owners '{ type ipv6_addr; }'",
  );
  await settle(opened);
  expect((await plan(opened)).changes).toEqual([]);
});

testAsRoot("apply leaves other tables alone", async () => {
  await must(
    "nft 'table inet other { chain c { type filter hook forward priority 5; policy accept; tcp dport 9 drop; }; }'",
  );
  const before = await must("nft list table inet other");
  await settle(opened);
  await settle(withoutHost);
  expect(await must("nft list table inet other")).toBe(before);
});

testAsRoot("apply rejects a plan that is out of date", async () => {
  await settle(opened);
  const set = { device: changed.device, layer: "gateway" as const, driver: "nftables", ...(await plan(changed)) };
  await must("nft add element inet sixgate static_live '{ 2001:db8:1:2:21::9 }'");
  await expect(nftables.at(shell, changed).apply(set, seconds(60))).rejects.toMatchObject({
    diagnostic: { code: "E510" },
  });
  expect((await plan(opened)).changes).toHaveLength(1);
});

testAsRoot("apply rejects a plan that was made from another fleet file", async () => {
  const set = { device: closed.device, layer: "gateway" as const, driver: "nftables", ...(await plan(closed)) };
  await expect(nftables.at(shell, opened).apply(set, seconds(60))).rejects.toMatchObject({
    diagnostic: { code: "E511" },
  });
  expect(await must("nft list tables")).toBe("");
});

testAsRoot("apply that nft refuses changes nothing and leaves no undo behind", async () => {
  await settle(opened);
  const { base } = await plan(opened);
  const before = await table();
  const after = { key: "element hosts 2001:db8:1:2:40::", value: "goto host_nobody", lane: "structure" as const };
  const set = {
    device: opened.device,
    layer: "gateway" as const,
    driver: "nftables",
    base,
    changes: [{ kind: "create" as const, after }],
  };
  await expect(nftables.at(shell, opened).apply(set, seconds(60))).rejects.toMatchObject({
    diagnostic: { code: "E511" },
  });
  expect(await table()).toBe(before);
  expect(await shell.list("/run/sixgate/undo")).toEqual([]);
});

testAsRoot("observe rejects where nft fails, and sees no items where there is no table", async () => {
  expect((await nftables.at(shell, opened).observe()).items).toEqual([]);
  const broken: Shell = {
    ...shell,
    run: () => Promise.resolve({ code: 1, stdout: "", stderr: "Operation not permitted" }),
  };
  await expect(nftables.at(broken, opened).observe()).rejects.toMatchObject({ diagnostic: { code: "E511" } });
  const gone: Shell = { ...shell, run: () => Promise.resolve({ code: 127, stdout: "", stderr: "nft: not found" }) };
  await expect(nftables.at(gone, opened).observe()).rejects.toMatchObject({ diagnostic: { code: "E502" } });
  const odd: Shell = {
    ...shell,
    run: () => Promise.resolve({ code: 0, stdout: "{}", stderr: "" }),
  };
  const late: Shell = {
    ...shell,
    run: (argv) =>
      Promise.resolve(
        argv.includes("tables")
          ? { code: 0, stdout: "table inet sixgate\n", stderr: "" }
          : { code: 1, stdout: "", stderr: "No buffer space" },
      ),
  };
  await expect(nftables.at(late, opened).observe()).rejects.toMatchObject({ diagnostic: { code: "E511" } });
  await expect(nftables.at(odd, opened).observe()).rejects.toThrow("isn't understood");
});

testAsRoot("rollback restores the table of before, chains and elements", async () => {
  for (const [from, to] of [
    [opened, closed],
    [opened, withoutHost],
    [withoutHost, changed],
    [opened, changed],
  ] as const) {
    await settle(from);
    const before = await nftables.at(shell, from).observe();
    const pending = await apply(to);
    expect((await nftables.at(shell, from).observe()).revision).not.toBe(before.revision);
    await pending.rollback();
    expect((await nftables.at(shell, from).observe()).items).toEqual(before.items);
  }
});

testAsRoot("rollback of the first apply leaves no table and no file", async () => {
  await (await apply(opened)).rollback();
  expect(await must("nft list ruleset")).toBe("");
  expect(await shell.list("/etc/sixgate")).toEqual([]);
});

testAsRoot("apply goes back by itself when it is not confirmed, and the boot file stays the old one", async () => {
  await settle(opened);
  const before = await nftables.at(shell, opened).observe();
  const pending = await apply(closed, 1);
  for (let tries = 0; tries < 50; tries++) {
    if ((await nftables.at(shell, opened).observe()).revision === before.revision) break;
    await pause(100);
  }
  expect((await nftables.at(shell, opened).observe()).items).toEqual(before.items);
  await expect(pending.confirm()).rejects.toMatchObject({ diagnostic: { code: "E514" } });
  expect((await nftables.at(shell, opened).observe()).items).toEqual(before.items);
});

testAsRoot("apply cuts the flows that it closes and keeps all others", async () => {
  await settle(opened);
  const kept = "2001:db8:1:2:21::2";
  await flow(kept, 443);
  await flow(kept, 8000);
  await flow(kept, 8060);
  await flow("2001:db8:1:2:31::2", 22, "2001:db8:ff::5");
  await flow("2001:db8:1:2:31::2", 22, "2001:db8:ff:1::5");
  await flow("2001:db8:77::1", 443, "2001:db8:1:2:21::2");
  await flow("2001:db8:1:2:20::1", 22, "2001:db8:ff::5");
  await settle(changed);
  expect(await flows()).toEqual([
    "2001:db8:1:2:21::2 > 2001:db8:77::1 443",
    "2001:db8:77::1 > 2001:db8:1:2:21::2 443",
    "2001:db8:77::1 > 2001:db8:1:2:21::2 8060",
    "2001:db8:ff:1::5 > 2001:db8:1:2:31::2 22",
    "2001:db8:ff::5 > 2001:db8:1:2:20::1 22",
  ]);
  await settle(withoutHost);
  expect(await flows()).not.toContain("2001:db8:ff:1::5 > 2001:db8:1:2:31::2 22");
  await settle({ ...withoutHost, policy: { betweenHosts: "closed", egress: "closed", openings: closedPolicy } });
  expect(await flows()).toEqual([
    "2001:db8:77::1 > 2001:db8:1:2:21::2 443",
    "2001:db8:77::1 > 2001:db8:1:2:21::2 8060",
    "2001:db8:ff::5 > 2001:db8:1:2:20::1 22",
  ]);
});

testAsRoot("rollback of an opening cuts what came in through it", async () => {
  await settle(empty);
  const pending = await apply({ ...opened, openings: opened.openings.slice(0, 1) });
  await flow("2001:db8:1:2:21::2", 443);
  await pending.rollback();
  expect(await flows()).toEqual([]);
});

testAsRoot(
  "the boot unit loads the file, lets a table in force be, and closes all where the file does not load",
  async () => {
    const unit = nftables.render(opened).find((each) => each.path.endsWith(".service"))?.text ?? "";
    const command = /^ExecStart=\/bin\/sh -c '(.*)'$/m.exec(unit)?.[1]?.replaceAll("$$", "$") ?? "";
    await settle(opened);
    const { items } = await nftables.at(shell, opened).observe();
    await must(command);
    expect((await nftables.at(shell, opened).observe()).items).toEqual(items);
    await must(`nft flush ruleset; ${command}`);
    expect((await nftables.at(shell, opened).observe()).items).toEqual(items);
    await must(`nft flush ruleset; echo broken >/etc/sixgate/boot.nft; (${command}) 2>/dev/null && exit 1; true`);
    expect(await table()).toContain("hook forward priority filter; policy drop;");
    await settle(opened);
    expect((await nftables.at(shell, opened).observe()).items).toEqual(items);
    await must(`mkdir /etc/bin; printf '#!/bin/sh\nexit 1\n' >/etc/bin/nft; chmod +x /etc/bin/nft
    echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; (PATH=/etc/bin:$PATH; ${command}) && exit 1; true`);
    expect(await must("cat /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv4/ip_forward")).toBe("0\n0\n");
  },
);

testAsRoot("apply goes back where nobody knows whether nft went through", async () => {
  await settle(opened);
  const before = await nftables.at(shell, opened).observe();
  for (const sends of [true, false]) {
    const cut: Shell = {
      ...shell,
      async run(argv, options) {
        if (argv.join(" ") !== "nft -f -") return shell.run(argv, options);
        if (sends) await shell.run(argv, options);
        throw new Failure("E503", shell.name, "Not reached", "look");
      },
    };
    const set = { device: closed.device, layer: "gateway" as const, driver: "nftables", ...(await plan(closed)) };
    await expect(nftables.at(cut, closed).apply(set, seconds(60))).rejects.toMatchObject({
      diagnostic: { code: "E503" },
    });
    expect((await nftables.at(shell, opened).observe()).items).toEqual(before.items);
  }
});
