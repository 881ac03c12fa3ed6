import { expect, test } from "vitest";
import { lineIn, linesOf, secondsLeft, signOf, worstOf } from "./lines.ts";

test.each([
  ["fleet.yaml:60:5 tests[0]", 60],
  ["/etc/sixgate/fleet.yaml:7:1", 7],
  ["fleet.yaml", undefined],
  ["vm1:443 gateway", undefined],
])("lineIn finds the line in %j", (at, line) => {
  expect(lineIn(at)).toBe(line);
});

test("linesOf puts findings and tests at their lines, the worst as their dot", () => {
  const lines = linesOf({
    file: "fleet.yaml",
    text: "a: 1\nb: 2\nc: 3\n",
    findings: [{ code: "W201", severity: "warning", at: "fleet.yaml:2:1 b", text: "Odd", fix: "mend" }],
    tests: [
      {
        at: "fleet.yaml:3:1 tests[0]",
        name: "internet → vm1/web",
        what: "80/tcp",
        want: "open",
        passed: true,
        because: [],
      },
      {
        at: "fleet.yaml:3:1 tests[0]",
        name: "internet → vm1/web",
        what: "22/tcp",
        want: "closed",
        passed: false,
        because: [],
      },
    ],
  });
  expect(lines.map(({ number, text }) => `${number} ${text}`)).toEqual(["1 a: 1", "2 b: 2", "3 c: 3"]);
  expect(lines.map(({ marks }) => worstOf(marks))).toEqual([undefined, "change", "bad"]);
  expect(lines[2]?.marks.map(({ text }) => text)).toEqual([
    "internet → vm1/web 80/tcp is open",
    "internet → vm1/web 22/tcp is not closed",
  ]);
});

test("signOf reads changes and patches", () => {
  expect(["+ x", "    -old", "    +new", "~ y", "    @@ -1 +1 @@", "     same"].map(signOf)).toEqual([
    "add",
    "remove",
    "add",
    "change",
    "place",
    "same",
  ]);
});

test("secondsLeft counts down to none", () => {
  expect([secondsLeft(10_000, 0), secondsLeft(10_000, 9001), secondsLeft(10_000, 99_000)]).toEqual([10, 1, 0]);
});
