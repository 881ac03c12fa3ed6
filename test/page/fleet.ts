import { instant } from "../../src/base/time.ts";
import { address } from "../../src/net/address.ts";
import { prefix } from "../../src/net/prefix.ts";
import type { MemoryController } from "../web/memory-controller.ts";
import { opening, refusal, suggestion, vm1 } from "../web/views.ts";

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
  void controller.note({ name: "agent vm1", role: "operator" }, "connected", { host: "vm1", version: "0.1.0" });
  void controller.note({ name: "controller", role: "admin" }, "closed", { to: "vm1/db", why: "its container stopped" });
}
