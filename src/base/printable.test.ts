import fc from "fast-check";
import { expect, test } from "vitest";
import { printable } from "./printable.ts";

test.each([
  ["plain text, ä → ü 日本", "plain text, ä → ü 日本"],
  ["\u001b[31m", "\\x1b[31m"],
  ["a\r\nb\tc", "a\\r\\nb\\tc"],
  ["\u0000\u007f\u009b", "\\x00\\x7f\\x9b"],
  ["\u202eevil\u2028", "\\u{202e}evil\\u{2028}"],
  ["\ud800", "\\u{d800}"],
  ["\u{e0041}", "\\u{e0041}"],
])("printable shows %j as %s", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("printable leaves one line without controls, for any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(printable(text))),
  );
});
