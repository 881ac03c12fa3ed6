import { expect, test } from "vitest";
import { didYouMean, nearest } from "./nearest.ts";

test.each([
  ["profil", "profile"],
  ["prefx", "prefix"],
  ["opennings", "openings"],
  ["Hosts", "hosts"],
  ["hsots", "hosts"],
])("nearest takes %s for %s", (typed, meant) => {
  expect(nearest(typed, ["prefix", "profile", "openings", "hosts"])).toBe(meant);
});

test("nearest proposes nothing that is far away", () => {
  expect(nearest("colour", ["prefix", "hosts"])).toBeUndefined();
  expect(nearest("ab", ["xy"])).toBeUndefined();
  expect(didYouMean("colour", ["prefix"])).toBe("");
});
