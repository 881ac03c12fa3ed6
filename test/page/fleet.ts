import { instant } from "../../src/base/time.ts";
import { address } from "../../src/net/address.ts";
import { prefix } from "../../src/net/prefix.ts";
import type { MemoryController } from "../web/memory-controller.ts";
import { opening, refusal, suggestion, vm1 } from "../web/views.ts";
import type { Sight } from "./browser.ts";

/** Names that try to be something else than text. */
export const hostile: readonly string[] = [
  `<img src=x onerror="alert(1)">`,
  `"><script>document.title='owned'</script>`,
  "javascript:alert(1)",
  "‮txt.exe‬ ​‏web",
  "{{constructor.constructor('alert(1)')()}}",
  `${"long".repeat(60)}`,
];

/** A small fleet with some of everything. */
export function fill(controller: MemoryController): void {
  const now = Date.now();
  const names = ["web", "api", "mail", "db", "cache", ...hostile];
  controller.scene.openings.set(
    "vm1",
    names.map((name, n) =>
      opening(`o${n}`, {
        container: { id: n.toString(16).padStart(64, "0"), name },
        to: address(`2001:db8:1234:321d:23::${(n + 0x80).toString(16)}`),
        since: instant(now - n * 3_600_000),
        ...(n % 3 === 1
          ? {
              askedBy: { kind: "person" as const, name: "ada", text: "" },
              reason: "release test of the new front",
              grantedBy: "ssh",
              service: { kind: "ports" as const, transport: "tcp" as const, ports: { first: 22, last: 22 } },
              from: [prefix("2001:db8:aaaa::/48")],
              ends: instant(now + 240_000 + n * 3_000_000),
            }
          : {}),
        ...(n === 3 ? { state: "held" as const } : {}),
      }),
    ),
  );
  controller.scene.refusals.set("vm1", [
    refusal({ why: "Port 5432 is in policy.never", fix: "leave it closed, or take 5432 out of policy.never" }),
    ...hostile.map((name, n) =>
      refusal({
        container: { id: n.toString(16).padStart(64, "1"), name },
        text: name.slice(0, 80),
        at: `sixgate.open rule ${n}`,
      }),
    ),
  ]);
  controller.scene.suggestions.set("vm1", [
    suggestion(),
    ...hostile.map((name, n) => suggestion({ container: { id: n.toString(16).padStart(64, "2"), name } })),
  ]);
  controller.scene.agents.push(
    { host: vm1, state: "connected", seen: instant(now - 4000), version: "0.1.0", engine: "28.5.2", containers: 11 },
    {
      host: "vm2" as typeof vm1,
      state: "silent",
      seen: instant(now - 95_000),
      version: "0.1.0",
      engine: "28.5.2",
      containers: 3,
    },
    { host: "vm3" as typeof vm1, state: "never", containers: 0 },
  );
  void controller.note({ name: "ada", role: "operator" }, "opened", { to: "vm1/web", reason: hostile[0] });
  const agent = { name: "agent vm1", role: "operator" } as const;
  void controller.note(agent, "agent-connected", { version: "0.1.0", engine: "28.5.2" });
  void controller.note(agent, "opened", {
    id: "f".repeat(64),
    host: "vm1",
    to: "2001:db8:1234:321d:23::80",
    service: "443/tcp",
    from: ["::/0"],
    grantedBy: "allow[0]",
    container: "a".repeat(64),
    name: hostile[3],
    asked: "443",
    ms: 12,
  });
  void controller.note(agent, "alarm", {
    alarm: "drift",
    text: "Somebody else had changed what is open at 2001:db8:1234:321d:23::80",
  });
  void controller.note({ name: "controller", role: "admin" }, "gateway-failing", { text: "fw: connection refused" });
  void controller.note(agent, "closed", { host: "vm1", name: "db", why: "its container stopped" });
}

export const inNetwork = (n: number): ReturnType<typeof address> => address(`2001:db8:1234:321d:22::${n.toString(16)}`);

/** Five openings that each column orders in another way. */
export function five(controller: MemoryController): void {
  const now = Date.now();
  const of = (name: string): { readonly id: string; readonly name: string } => ({ id: name.repeat(8), name });
  const person = { kind: "person", name: "ada", text: "" } as const;
  const ports = (first: number): ReturnType<typeof opening>["service"] => ({
    kind: "ports",
    transport: "tcp",
    ports: { first, last: first },
  });
  controller.scene.openings.set("vm1", [
    opening("a", { container: of("web10"), to: inNetwork(0x9), grantedBy: "allow[10]" }),
    opening("b", { container: of("web9"), to: inNetwork(0x10), grantedBy: "allow[9]", service: ports(80) }),
    opening("c", {
      container: of("ssh"),
      to: inNetwork(0x100),
      service: ports(22),
      askedBy: person,
      reason: "release test",
      grantedBy: "people",
      from: [prefix("2001:db8:aaaa::/48")],
      ends: instant(now + 7_200_000),
    }),
    opening("d", {
      container: of("db"),
      to: inNetwork(0x8),
      service: ports(5432),
      askedBy: { ...person, name: "bob" },
      reason: "migration",
      grantedBy: "people",
      ends: instant(now + 600_000),
    }),
    opening("e", { container: of("dns"), to: inNetwork(0x7), service: { kind: "ping" }, state: "held" }),
  ]);
}

/** Whose openings are shown, in their order. */
export const rowsOf = ({ page }: Sight): Promise<readonly string[]> =>
  page.locator(".table.open .body .container").allInnerTexts();
