import { expect, test } from "vitest";
import type { Access } from "../../change/guard.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { prefix4 } from "../../net/ipv4.ts";
import { prefix } from "../../net/prefix.ts";
import { shutOut } from "./logins.ts";

const management = { device: "mg0", admins: [prefix4("10.10.10.0/24"), prefix("2001:db8:5::/48")] };

function told(access: Partial<Access>, over: Partial<GatewayDesired> = { management }): string | undefined {
  return shutOut({ ...over } as GatewayDesired, { address: "10.10.10.2", ...access });
}

test("shutOut lets administrators in on the management interface, by either family, and the machine itself", () => {
  expect(told({ from: "10.10.10.9", device: "mg0" })).toBeUndefined();
  expect(told({ from: "2001:db8:5::9", device: "mg0" })).toBeUndefined();
  expect(told({ from: "::1", device: "lo" })).toBeUndefined();
  // Where nobody came in, nobody is shut out.
  expect(told({})).toBeUndefined();
});

test("shutOut says why everybody else is not", () => {
  expect(told({ from: "10.10.11.9", device: "mg0" })).toContain("not among admins");
  expect(told({ from: "10.10.10.9", device: "up0" })).toContain("only those on mg0");
  expect(told({ from: "10.10.10.9", device: "mg0" }, {})).toContain("without a management interface");
});
