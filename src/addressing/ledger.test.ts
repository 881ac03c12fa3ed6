import { expect, test } from "vitest";
import { emptyLedger, formatLedger, parseLedger } from "./ledger.ts";

const full = {
  format: "sixgate.ledger/1",
  fleet: "test",
  lengths: { host: 76, network: 80 },
  hosts: [
    { host: "vm1", slot: 2, networks: [{ name: "web", index: 2 }] },
    { host: "constructor", slot: 9, networks: [] },
  ],
};

test("parseLedger reads what formatLedger wrote", () => {
  for (const text of [formatLedger(emptyLedger("test")), JSON.stringify(full)]) {
    const parsed = parseLedger(text);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    const again = formatLedger(parsed.value);
    expect(parseLedger(again)).toEqual(parsed);
    expect(JSON.parse(again)).toEqual(JSON.parse(text));
  }
});

test("parseLedger sorts, so that its bytes don't depend on who wrote them", () => {
  const turned = parseLedger(JSON.stringify({ ...full, hosts: full.hosts.toReversed() }));
  expect(turned.ok && formatLedger(turned.value)).toBe(formatLedger(full as never));
});

const [vm1, other] = full.hosts;
test.each([
  ["no JSON", "{"],
  ["another format", JSON.stringify({ ...full, format: "sixgate.ledger/2" })],
  ["a list", "[]"],
  ["no fleet", JSON.stringify({ ...full, fleet: 1 })],
  ["no hosts", JSON.stringify({ ...full, hosts: {} })],
  ["numbers without lengths", JSON.stringify({ ...full, lengths: undefined })],
  ["strange lengths", JSON.stringify({ ...full, lengths: { host: 76 } })],
  ["a slot given twice", JSON.stringify({ ...full, hosts: [vm1, { ...other, slot: 2 }] })],
  ["a host given twice", JSON.stringify({ ...full, hosts: [vm1, { ...other, host: "vm1" }] })],
  ["a reserved slot", JSON.stringify({ ...full, hosts: [{ ...vm1, slot: 1 }] })],
  ["a broken slot", JSON.stringify({ ...full, hosts: [{ ...vm1, slot: 2.5 }] })],
  ["a strange name", JSON.stringify({ ...full, hosts: [{ ...vm1, host: "a b" }] })],
  [
    "an index given twice",
    JSON.stringify({
      ...full,
      hosts: [
        {
          ...vm1,
          networks: [
            { name: "a", index: 2 },
            { name: "b", index: 2 },
          ],
        },
      ],
    }),
  ],
  ["a reserved index", JSON.stringify({ ...full, hosts: [{ ...vm1, networks: [{ name: "a", index: 1 }] }] })],
])("parseLedger refuses %s", (_, text) => {
  const parsed = parseLedger(text);
  expect(parsed.ok ? [] : parsed.errors.map(({ code }) => code)).toEqual(["E310"]);
});
