import { expect, test } from "vitest";
import type { DeviceName } from "../base/name.ts";
import type { Change, ChangeSet } from "./change-set.ts";
import { explain, summary } from "./explain.ts";
import type { Item, Value } from "./item.ts";

function item(key: string, value: Value): Item {
  return { key, value, lane: "structure" };
}

function set(changes: readonly Change[]): ChangeSet {
  return { device: "vm1" as DeviceName, layer: "guest", driver: "networkd", base: "1", changes };
}

test("explain says that there is nothing to do", () => {
  expect(explain([set([])])).toEqual(["No changes: every device is as planned"]);
  expect(summary([])).toBe("No changes: every device is as planned");
});

test("explain encodes keys and values, so that a name can't lead the terminal", () => {
  const evil = "x\u001b[2Jy\n+ route ::/0\u202e\u009b";
  const lines = explain([set([{ kind: "create", after: item(`container ${evil}`, { name: evil }) }])], {
    verbose: true,
  });
  expect(lines.join("\n")).toContain("\\x1b[2Jy\\n+ route ::/0\\u{202e}\\x9b");
  for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test("explain encodes a file's text in the verbose diff, line by line", () => {
  const before = item("file /etc/x", "a\nb\n");
  const after = item("file /etc/x", "a\n\u001b]0;title\u0007\n");
  const lines = explain([set([{ kind: "update", before, after }])], { verbose: true });
  expect(lines).toContain("      -b");
  expect(lines).toContain("      +\\x1b]0;title\\x07");
});

test("explain cuts long values", () => {
  const [, line = ""] = explain([set([{ kind: "create", after: item("k", "v".repeat(500)) }])]);
  expect(line.length).toBeLessThan(120);
  expect(line.endsWith("…")).toBe(true);
});

test("explain shows of an update only what differs, of a list what came and went, and counts a long list", () => {
  const before = item("chain forward", { policy: "drop", rules: ["a", "b", "c", "d", "e"] });
  const after = item("chain forward", { policy: "drop", rules: ["a", "b", "c", "d", "f"] });
  const turned = item("chain forward", { policy: "accept", rules: ["b", "a", "c", "d", "e"] });
  const line = (change: Change): string | undefined => explain([set([change])])[1];
  expect(line({ kind: "create", after })).toBe("  + chain forward policy=drop rules=5");
  expect(line({ kind: "update", before, after })).toBe("  ~ chain forward rules -e +f");
  expect(line({ kind: "update", before, after: turned })).toBe(
    "  ~ chain forward policy drop -> accept, rules in another order",
  );
});
