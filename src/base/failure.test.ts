import { expect, test } from "vitest";
import { formatDiagnostic } from "./diagnostic.ts";
import { Failure } from "./failure.ts";

test("Failure encodes what a device said, in every part", () => {
  const failure = new Failure("E511", "fw\u001b[2J", "refused\n  fix: trust me", "look at \u202egw", { cause: "x" });
  expect(failure.diagnostic).toEqual({
    code: "E511",
    severity: "error",
    at: "fw\\x1b[2J",
    text: "refused\\n  fix: trust me",
    fix: "look at \\u{202e}gw",
  });
  expect(failure.message).toBe("fw\\x1b[2J: E511 refused\\n  fix: trust me");
  expect(failure.cause).toBe("x");
});

test("formatDiagnostic gives two lines, whatever the parts hold", () => {
  const line = formatDiagnostic({ code: "E110", severity: "error", at: "a\nb", text: "c\rd", fix: "e\nf" });
  expect(line).toBe("a\\nb: E110 c\\rd\n  fix: e\\nf");
});
