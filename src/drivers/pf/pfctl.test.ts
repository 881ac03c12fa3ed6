import { expect, test } from "vitest";
import { address } from "../../net/address.ts";
import type { Ran, RunOptions, Shell } from "../../runtime/shell.ts";
import { canonicalEntry, parseStates, pfctlAt } from "./pfctl.ts";

type Call = { readonly argv: readonly string[]; readonly input?: string };

/** A shell that answers by its own and writes down what it was asked. */
function shellWith(answer: (argv: readonly string[]) => Partial<Ran>): {
  readonly shell: Shell;
  readonly calls: Call[];
} {
  const calls: Call[] = [];
  const shell = {
    name: "fw",
    run: async (argv: readonly string[], options: RunOptions = {}) => {
      calls.push({ argv, ...(options.input === undefined ? {} : { input: String(options.input) }) });
      return { code: 0, stdout: "", stderr: "", ...answer(argv) };
    },
  };
  return { shell: shell as unknown as Shell, calls };
}

test("pfctl.tables tells an empty table from one that is not there", async () => {
  const { shell } = shellWith(() => ({
    stdout: "= a\n   2001:db8::2\n   2001:db8::/64\n   10.0.0.1\n= b\n= c\n- c\n",
  }));
  expect(await pfctlAt(shell).tables(["a", "b", "c"])).toEqual(
    new Map([
      ["a", ["10.0.0.1", "2001:db8::/64", "2001:db8::2"]],
      ["b", []],
    ]),
  );
});

test("pfctl.tables rejects what is no entry", async () => {
  const { shell } = shellWith(() => ({ stdout: "= a\n!2001:db8::2\n" }));
  await expect(pfctlAt(shell).tables(["a"])).rejects.toThrow("E517");
});

test("pfctl.change takes out first, puts in by standard input, and asks nothing for nothing", async () => {
  const { shell, calls } = shellWith(() => ({}));
  await pfctlAt(shell).change("sgl_tcp_80", ["2001:db8::2", "2001:db8::3"], ["2001:db8::1"]);
  await pfctlAt(shell).change("sgl_tcp_80", [], []);
  const argv = (verb: string): readonly string[] => ["pfctl", "-q", "-t", "sgl_tcp_80", "-T", verb, "-f", "-"];
  expect(calls).toEqual([
    { argv: argv("delete"), input: "2001:db8::1\n" },
    { argv: argv("add"), input: "2001:db8::2\n2001:db8::3\n" },
  ]);
});

test("pfctl's failures say what it said, unless it lists an interface that is not there", async () => {
  const denied = shellWith(() => ({ code: 1, stderr: "pfctl: /dev/pf: Permission denied\n" })).shell;
  await expect(pfctlAt(denied).rules()).rejects.toThrow(/E511 .*Permission denied/);
  await expect(pfctlAt(denied).addresses("vtnet0")).rejects.toThrow("E511");
  const none = shellWith(() => ({ code: 1, stderr: "ifconfig: interface vtnet9 does not exist\n" })).shell;
  expect(await pfctlAt(none).addresses("vtnet9")).toEqual([]);
});

test("pfctl.routes reads netstat of FreeBSD: zones taken off, the first of each destination", async () => {
  const stdout = `Routing tables

Internet6:
Destination                       Gateway                       Flags   Nhop#    Mtu    Netif Expire
::/96                             link#4                        URS         5  16384      lo0
default                           fe80::1%vtnet0                UGS         9   1500   vtnet0
2001:db8:1:2:3::/80               link#2                        U           3   1500   vtnet1
2001:db8:1:2:3::1                 link#4                        UHS         2  16384      lo0
2001:db8:1:2:40::/76               fe80::be24:11ff:fe00:1%vtnet1 UGS         3   1500   vtnet1
fe80::%vtnet0/64                  link#1                        U           7   1500   vtnet0
2001:db8:1:2::/64                 ::1                           UGRS        6  16384      lo0
`;
  const routes = await pfctlAt(shellWith(() => ({ stdout })).shell).routes();
  expect(routes.get("::/0")).toBe("fe80::1");
  expect(routes.get("2001:db8:1:2:40::/76")).toBe("fe80::be24:11ff:fe00:1");
  expect(routes.get("2001:db8:1:2:3::1/128")).toBe("link#4");
  expect(routes.get("2001:db8:1:2::/64")).toBe("::1");
  expect(routes.get("fe80::/64")).toBe("link#1");
});

test("pfctl.addresses reads ifconfig of FreeBSD, in both families", async () => {
  const stdout = `vtnet1: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
\tether bc:24:11:00:00:01
\tinet 10.10.10.2 netmask 0xffffff00 broadcast 10.10.10.255
\tinet6 fe80::be24:11ff:fe00:1%vtnet1 prefixlen 64 scopeid 0x2
\tinet6 2001:db8::1 prefixlen 80 tentative
`;
  expect(await pfctlAt(shellWith(() => ({ stdout })).shell).addresses("vtnet1")).toEqual([
    "10.10.10.2/24",
    "fe80::be24:11ff:fe00:1/64",
    "2001:db8::1/80",
  ]);
});

const listing = `all tcp 2001:db8:1::80[443] <- 2001:db8:f::1[51234]       ESTABLISHED:ESTABLISHED
   [1 + 65536] wscale 7  [1 + 65536] wscale 7
   age 00:00:10, expires in 23:59:50, 3:2 pkts, 300:200 bytes, rule 70
   id: 0000000065a1b2c3 creatorid: 0a0b0c0d
all ipv6-icmp 2001:db8:1::80[8] <- 2001:db8:f::1[7]       NO_TRAFFIC:NO_TRAFFIC
   age 00:00:01, expires in 00:00:09, 1:1 pkts, 104:104 bytes, rule 71
   id: 0000000065a1b2c4 creatorid: 0a0b0c0d
all tcp 10.0.0.1:50000 (192.168.1.2:50000) -> 198.51.100.1:443       ESTABLISHED:ESTABLISHED
   age 00:00:10, expires in 23:59:50, 3:2 pkts, 300:200 bytes
   id: 0000000065a1b2c5 creatorid: 0a0b0c0d
`;

test("parseStates reads both ends of flows of IPv6, with the ids to end them by", () => {
  expect(parseStates(listing)).toEqual([
    {
      id: "0000000065a1b2c3",
      creator: "0a0b0c0d",
      protocol: "tcp",
      ends: [
        { address: "2001:db8:1::80", port: 443 },
        { address: "2001:db8:f::1", port: 51234 },
      ],
      cameIn: true,
    },
    {
      id: "0000000065a1b2c4",
      creator: "0a0b0c0d",
      protocol: "ipv6-icmp",
      ends: [
        { address: "2001:db8:1::80", port: 8 },
        { address: "2001:db8:f::1", port: 7 },
      ],
      cameIn: true,
    },
    { id: "0000000065a1b2c5", creator: "0a0b0c0d", protocol: "tcp", ends: [], cameIn: false },
  ]);
});

test("pfctl.statesAt and kill end flows at one address alone", async () => {
  const { shell, calls } = shellWith(() => ({ stdout: listing }));
  const pfctl = pfctlAt(shell);
  await pfctl.kill((await pfctl.statesAt(address("2001:db8:1::80"))).slice(0, 1));
  await pfctl.killTo(address("2001:db8:1::80"));
  expect(calls.slice(1).map(({ argv }) => argv.join(" "))).toEqual([
    "pfctl -q -k id -k 0000000065a1b2c3/0a0b0c0d",
    "pfctl -q -k ::/0 -k 2001:db8:1::80",
  ]);
});

test.each([
  ["2001:DB8::2", "2001:db8::2"],
  ["2001:db8::2/128", "2001:db8::2"],
  ["2001:db8::/32", "2001:db8::/32"],
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["!2001:db8::2", undefined],
  ["vtnet0:network", undefined],
])("canonicalEntry of %s is %s", (text, expected) => {
  expect(canonicalEntry(text)).toBe(expected);
});
