import { expect, test } from "vitest";
import { parseSessions, rememberInput } from "./sessions.ts";

// As `ss -Htn state established` and `ss -Htln` of iproute2 6.1 print them.
const established = `0      0              10.10.10.2:22          10.10.10.9:44590
0      36     [::ffff:10.10.10.2]:22 [::ffff:10.10.10.8]:50022
0      0      [2001:db8:77:0:10::1]:51234      [2001:db8:9::1]:443
0      0      [fe80::2%up0]:22        [fe80::1%up0]:40000
0      0      [fe80::2]%up0:179       [fe80::1]%up0:40001
0      0               127.0.0.1:6465          127.0.0.1:40002
0      0                   [::1]:22                [::1]:40003
what is this
`;
const listening = `LISTEN 0      128        0.0.0.0:22        0.0.0.0:*
LISTEN 0      128           [::]:22           [::]:*
LISTEN 0      8      [fe80::2]%up0:179        [::]:*
`;

test("parseSessions tells who began a session, and leaves out the machine's own with itself", () => {
  expect(rememberInput(parseSessions(established, listening))).toBe(
    [
      "10.10.10.9 10.10.10.2 44590 22",
      "10.10.10.8 10.10.10.2 50022 22",
      "2001:db8:77:0:10::1 2001:db8:9::1 51234 443",
      "fe80::1 fe80::2 40000 22",
      "fe80::1 fe80::2 40001 179",
      "",
    ].join("\n"),
  );
});
