import { expect, test } from "vitest";
import { explainField, nearestPath } from "./explain.ts";

test("explainField finds a key by star, name or index", () => {
  const profile = explainField("hosts.*.docker.profile");
  expect(profile).toMatchObject({ kind: "gateway-only | routed | two-gates", required: false, keys: [] });
  expect(profile?.text).toContain("every engine");
  expect(explainField("hosts.vm1.docker.profile")?.text).toBe(profile?.text);
  expect(explainField("openings[0].ports")).toMatchObject({ kind: "list", required: true });
  expect(explainField("openings.*.ports")?.text).toBe(explainField("openings[0].ports")?.text);
});

test("explainField lists the keys below with the first sentence of each", () => {
  const provider = explainField("provider");
  expect(provider?.keys.map(({ key, required }) => [key, required])).toEqual([
    ["name", false],
    ["delivery", true],
    ["next-hop", false],
    ["api", false],
  ]);
  expect(provider?.keys[2]?.text).toBe("The provider's router.");
  expect(explainField("hosts")?.keys.map(({ key }) => key)).toContain("docker");
  expect(explainField("")?.keys.map(({ key }) => key)).toContain("openings");
});

test("explainField knows no other keys", () => {
  for (const path of [
    "host",
    "hosts.vm1.dockr",
    "hosts.vm1.docker.profile.more",
    "constructor",
    "provider.__proto__",
  ]) {
    expect(explainField(path)).toBeUndefined();
  }
});

test("nearestPath mends the first wrong part", () => {
  expect(nearestPath("hosts.*.docker.profil")).toBe("hosts.*.docker.profile");
  expect(nearestPath("host.vm1.slot")).toBe("hosts.vm1.slot");
  expect(nearestPath("zzzzzzzz")).toBeUndefined();
});
