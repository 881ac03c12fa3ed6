import { expect, test } from "vitest";
import { naturalKey } from "./natural.ts";

test("naturalKey orders numbers in names as numbers", () => {
  const names = ["vm10", "vm2", "web", "vm1", "a2b10", "a2b9", "a10b1"];
  const sorted = names.toSorted((a, b) => (naturalKey(a) < naturalKey(b) ? -1 : 1));
  expect(sorted).toEqual(["a2b9", "a2b10", "a10b1", "vm1", "vm2", "vm10", "web"]);
});
