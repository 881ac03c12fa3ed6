import { expect, test } from "vitest";
import type { Change } from "../../change/change-set.ts";
import type { Item, Value } from "../../change/item.ts";
import { inverseOf, needsRebuild, partsOf, rebuildOf, transactionOf } from "./transaction.ts";
import { rulesIn, undoScript } from "./undo.ts";

const structure = (key: string, value: Value): Item => ({ key, value, lane: "structure" });
const member = (key: string): Item => ({ key, value: true, lane: "members" });
const rules = (): readonly string[] => ["drop"];

const changes: readonly Change[] = [
  {
    kind: "update",
    before: structure("chain forward", { rules: ["a"] }),
    after: structure("chain forward", { rules: ["b"] }),
  },
  { kind: "delete", before: structure("chain host_old", { rules: [] }) },
  { kind: "create", after: structure("chain host_new", { rules: ["b"] }) },
  { kind: "delete", before: structure("element hosts 2001:db8:1::", "goto host_old") },
  { kind: "create", after: structure("element hosts 2001:db8:2::", "goto host_new") },
  { kind: "create", after: member("element static_open 2001:db8:2::2 . tcp . 80") },
  { kind: "delete", before: member("element open_old 2001:db8:1::2 . tcp . 80") },
  { kind: "delete", before: member("element open_kept 2001:db8:3::2 . tcp . 80") },
  {
    kind: "create",
    after: structure("set open_new", { type: ["ipv6_addr", "inet_proto", "inet_service"], flags: [] }),
  },
  { kind: "delete", before: structure("set open_old", { type: ["ipv6_addr"], flags: ["interval"] }) },
  { kind: "create", after: structure("file /etc/sixgate/boot.nft", "text") },
];

test("transactionOf frees before it removes, and makes before it refers", () => {
  expect(transactionOf(changes, rules)).toBe(`add table inet sixgate { }
flush chain inet sixgate forward
flush chain inet sixgate host_old
add element inet sixgate open_kept { 2001:db8:3::2 . tcp . 80 }
delete element inet sixgate hosts { 2001:db8:1:: }
delete element inet sixgate open_kept { 2001:db8:3::2 . tcp . 80 }
delete set inet sixgate open_old
delete chain inet sixgate host_old
add set inet sixgate open_new { type ipv6_addr . inet_proto . inet_service; }
add chain inet sixgate forward
add chain inet sixgate host_new
add element inet sixgate hosts { 2001:db8:2:: : goto host_new }
add element inet sixgate static_open { 2001:db8:2::2 . tcp . 80 }
add rule inet sixgate forward drop
add rule inet sixgate host_new drop
`);
});

test("transactionOf is empty where only files change", () => {
  expect(
    transactionOf(
      changes.filter((each) => each.kind === "create" && each.after.key.startsWith("file ")),
      rules,
    ),
  ).toBe("");
});

test("transactionOf wakes a table that sleeps", () => {
  const asleep = structure("table inet sixgate", { flags: ["inet"] });
  const awake = structure("table inet sixgate", { flags: [] });
  expect(transactionOf([{ kind: "update", before: asleep, after: awake }], rules)).toBe("add table inet sixgate { }\n");
  expect(transactionOf([{ kind: "delete", before: awake }], rules)).toBe("delete table inet sixgate\n");
});

test("inverseOf leads back, but for things that were not ours", () => {
  expect(inverseOf(inverseOf(changes))).toEqual(changes);
  expect(inverseOf([{ kind: "delete", before: structure("set odd", { foreign: "0" }) }])).toEqual([]);
});

test("needsRebuild only for another type of set or another hook", () => {
  expect(needsRebuild(changes)).toBe(false);
  const set = (type: string): Item => structure("set owners", { type: [type], flags: [] });
  expect(needsRebuild([{ kind: "update", before: set("ipv6_addr"), after: set("ether_addr") }])).toBe(true);
  const chain = (priority: number, policy: string): Item =>
    structure("chain forward", { type: "filter", hook: "forward", priority, policy, rules: [] });
  expect(needsRebuild([{ kind: "update", before: chain(0, "accept"), after: chain(0, "drop") }])).toBe(false);
  expect(needsRebuild([{ kind: "update", before: chain(5, "drop"), after: chain(0, "drop") }])).toBe(true);
  expect(rebuildOf([chain(0, "drop")], rules)).toBe(`add table inet sixgate
delete table inet sixgate
add table inet sixgate { }
add chain inet sixgate forward { type filter hook forward priority 0; policy drop; }
add rule inet sixgate forward drop
`);
});

test("partsOf refuses a name that could be more than a name", () => {
  for (const key of ["chain a;flush", "set {x}", "chain ", "element 'a' x", "set a\nb"]) {
    expect(() => partsOf(structure(key, null))).toThrow(RangeError);
  }
});

const listing = `table inet sixgate {
\tset open_vm1 {
\t\ttype ipv6_addr
\t\telements = { 2001:db8::1,
\t\t\t     2001:db8::2 }
\t}

\tchain forward {
\t\ttype filter hook forward priority 0; policy drop;
\t\tct state 0x2 accept comment "sixgate 00000000"
\t\tcounter drop comment "sixgate 11111111"
\t}

\tchain empty {
\t}
}
`;

test("rulesIn finds each chain's rules in a listing", () => {
  const found = rulesIn(listing);
  expect(found("forward")).toEqual([
    'ct state 0x2 accept comment "sixgate 00000000"',
    'counter drop comment "sixgate 11111111"',
  ]);
  expect([found("empty"), found("open_vm1")]).toEqual([[], []]);
});

test("undoScript tries the inverse, then the whole table, and cuts what the change had opened", () => {
  expect(undoScript(changes, undefined)).toBe("nft 'add table inet sixgate; delete table inet sixgate'\n");
  const forward = structure("chain forward", {
    type: "filter",
    hook: "forward",
    priority: 0,
    policy: "drop",
    rules: [],
  });
  const items = [forward, member("element static_open 2001:db8::9 . tcp . 80"), structure("file /etc/x", "text")];
  const script = undoScript(changes, { items, listing });
  expect(script).toContain('add rule inet sixgate forward counter drop comment "sixgate 11111111"\n');
  expect(script).toContain(`SIXGATE_INVERSE
add table inet sixgate
delete table inet sixgate
add table inet sixgate { }
add chain inet sixgate forward { type filter hook forward priority 0; policy drop; }
add element inet sixgate static_open { 2001:db8::9 . tcp . 80 }
add rule inet sixgate forward ct state 0x2 accept comment "sixgate 00000000"
add rule inet sixgate forward counter drop comment "sixgate 11111111"
SIXGATE_WHOLE
`);
  expect(script.split("\n").filter((each) => each.startsWith("conntrack"))).toEqual([
    "conntrack -D -f ipv6 -p tcp -d 2001:db8:2::2 --orig-port-dst 80 >/dev/null 2>&1",
  ]);
});
