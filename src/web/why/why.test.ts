import { expect, test } from "vitest";
import { containerReport } from "../../../test/container-report.ts";
import { type Stand, withApi } from "../../../test/web/bench.ts";
import { labBasis, MemoryController } from "../../../test/web/memory-controller.ts";
import { opening, refusal, suggestion, vm1 } from "../../../test/web/views.ts";
import { Failure } from "../../base/failure.ts";
import type { HostName } from "../../base/name.ts";
import { instant, seconds } from "../../base/time.ts";
import type { Basis, OpeningView } from "../../controller/controller.ts";
import type { DockerProfile } from "../../fleet/fleet.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import type { Service } from "../../openings/opening.ts";
import { closedPolicy } from "../../openings/policy.ts";

const tcp = (first: number, last = first): Service => ({ kind: "ports", transport: "tcp", ports: { first, last } });
const web = address("2001:db8:1234:321d:23::80");
const office = prefix("2001:db8:aaaa::/48");

type Change = { readonly between?: "open" | "closed"; readonly profile?: DockerProfile; readonly internal?: boolean };

/** The lab's fleet, closed between hosts, with a policy: web ports for anybody's labels, 22 from the office, 8000s for people. */
function basis({ between = "closed", profile = "gateway-only", internal = false }: Change = {}): Basis {
  const { fleet, plan } = labBasis();
  const rule = { hosts: "all", from: [prefix("::/0")], by: ["labels"] } as const;
  const openings = {
    ...closedPolicy,
    allow: [
      { ...rule, id: "allow[0]", services: [tcp(80), tcp(443)] },
      { ...rule, id: "allow[1]", services: [tcp(22)], from: [office] },
      { ...rule, id: "allow[2]", services: [tcp(8000, 8099)], by: ["people"], longest: seconds(3600) },
    ],
    never: [tcp(5432)],
  } as const;
  const hosts = [...fleet.hosts].map(([name, host]) => {
    const networks = new Map(
      [...host.docker.networks].map(([net, each]) => [net, { ...each, internal: internal && String(net) === "web" }]),
    );
    return [name, { ...host, docker: { ...host.docker, profile, networks } }] as const;
  });
  return {
    plan,
    fleet: { ...fleet, hosts: new Map(hosts), policy: { ...fleet.policy, betweenHosts: between, openings } },
  };
}

type Path = {
  readonly to: string;
  readonly verdict: string;
  readonly links: readonly { link: string; state: string; text: string; fix?: string; code?: string }[];
};

async function why(stand: Stand, to: string, from = "internet"): Promise<readonly Path[]> {
  const query = new URLSearchParams({ to, from });
  return ((await stand.json(`/api/v1/why?${query.toString()}`)) as { paths: readonly Path[] }).paths;
}

/** `request holds`, `decision missing E912`, … */
function shape(path: Path | undefined): readonly string[] {
  return (path?.links ?? []).map(({ link, state, code }) => `${link} ${state}${code === undefined ? "" : ` ${code}`}`);
}

type Scene = (stand: Stand) => void;

function connected(stand: Stand): void {
  for (const host of ["vm1", "vm2"] as HostName[])
    stand.controller.scene.agents.push({ host, state: "connected", containers: 1 });
}

const asked =
  (labels: Record<string, string>): Scene =>
  (stand) => {
    connected(stand);
    stand.controller.scene.containers.set("vm1", [containerReport({ labels })]);
  };

/** A container that asks for nothing, and what is open all the same. */
const opened =
  (...openings: readonly OpeningView[]): Scene =>
  (stand) => {
    asked({})(stand);
    stand.controller.scene.openings.set("vm1", [...openings]);
  };

/** The same, and what the gateway says that it lets in. */
const enforced =
  (openings: readonly OpeningView[], inForce: MemoryController["inForce"]): Scene =>
  (stand) => {
    opened(...openings)(stand);
    stand.controller.inForce = inForce;
  };

const everyLink = ["address holds", "request holds", "decision holds", "element holds", "host holds"] as const;

/** One question, the scene before it, and the answer: the verdict and the shape of the chain. */
const questions: readonly {
  readonly name: string;
  readonly fleet?: Change;
  readonly scene: Scene;
  readonly to: string;
  readonly from?: string;
  readonly verdict: string;
  readonly chain: readonly string[];
  readonly says?: RegExp;
}[] = [
  {
    name: "a label's opening",
    scene: (stand) => {
      asked({ "sixgate.open": "443" })(stand);
      stand.controller.scene.openings.set("vm1", [opening("a")]);
    },
    to: "vm1/web:443",
    verdict: "open",
    chain: everyLink,
    says: /A label of web asks for it: 443.*allow\[0\] grants it.*lets 443\/tcp in from any/s,
  },
  {
    name: "a part of a range that is open",
    scene: opened(opening("a", { service: tcp(400, 500) })),
    to: "vm1/web:440-450",
    verdict: "open",
    chain: everyLink,
  },
  {
    name: "more than the range that is open",
    scene: opened(opening("a", { service: tcp(400, 500) })),
    to: "vm1/web:450-550",
    verdict: "closed",
    chain: ["address holds", "request missing", "decision missing E912", "element missing", "host holds"],
  },
  {
    name: "another transport than the one that is open",
    scene: opened(opening("a")),
    to: "vm1/web:443/udp",
    verdict: "closed",
    chain: ["address holds", "request missing", "decision missing E912", "element missing", "host holds"],
  },
  {
    name: "a person's opening, with its reason and its end",
    scene: (stand) => {
      asked({})(stand);
      const ends = instant(Date.now() + 600_000);
      stand.controller.scene.openings.set("vm1", [
        opening("a", {
          service: tcp(8000),
          askedBy: { kind: "person", name: "ann", text: "" },
          reason: "demo",
          grantedBy: "allow[2]",
          ends,
        }),
      ]);
    },
    to: `[${web}]:8000`,
    verdict: "open",
    chain: everyLink,
    says: /ann asked for it: demo.*for (?:600|59\d) s more/s,
  },
  {
    name: "nobody asked, and policy would grant it",
    scene: (stand) => {
      asked({})(stand);
      stand.controller.scene.suggestions.set("vm1", [suggestion({ address: web, ports: { first: 443, last: 443 } })]);
    },
    to: "vm1/web:443",
    verdict: "closed",
    chain: ["address holds", "request missing", "decision holds", "element missing", "host holds"],
    says: /that its image exposes it opens nothing.*sixgate\.open="443", or for some time: sixgate open vm1\/web 443 --from any.*allow\[0\] would grant it to a label/s,
  },
  {
    name: "nobody asked, and policy would grant it to the office",
    scene: asked({}),
    to: "vm1/web:22",
    from: "office",
    verdict: "closed",
    chain: ["address holds", "request missing", "decision holds", "element missing", "host holds"],
    says: /sixgate\.open="22 from @office".*--from @office/s,
  },
  {
    name: "nobody asked, and policy would grant it to a person only",
    scene: asked({}),
    to: "vm1/web:8001",
    verdict: "closed",
    chain: ["address holds", "request missing", "decision holds", "element missing", "host holds"],
    says: /allow\[2\] would grant it to a person/,
  },
  {
    name: "nobody asked, and policy would refuse it",
    scene: asked({}),
    to: "vm1/web:25",
    verdict: "closed",
    chain: ["address holds", "request missing", "decision missing E912", "element missing", "host holds"],
    says: /let the policy allow it first/,
  },
  {
    name: "what policy never opens",
    scene: asked({ "sixgate.open": "5432" }),
    to: "vm1/web:5432",
    verdict: "closed",
    chain: ["address holds", "request holds", "decision missing E911", "element missing", "host holds"],
    says: /sixgate\.open rule 1 asks for it: 5432/,
  },
  {
    name: "a label that asks for more sources than policy gives",
    scene: asked({ "sixgate.open": "22" }),
    to: "vm1/web:22",
    verdict: "closed",
    chain: ["address holds", "request holds", "decision missing E913", "element missing", "host holds"],
  },
  {
    name: "a label that can't be read",
    scene: (stand) => {
      asked({ "sixgate.open": "https" })(stand);
      const { to: _, ...unread } = refusal({
        container: { id: "a".repeat(64), name: "web" },
        code: "E905",
        why: "Not a port",
        fix: "write digits",
      });
      stand.controller.scene.refusals.set("vm1", [unread]);
    },
    to: "vm1/web:443",
    verdict: "closed",
    chain: ["address holds", "request missing E905", "decision holds", "element missing", "host holds"],
  },
  {
    name: "one too many: the controller's own refusal goes before the policy's word",
    scene: (stand) => {
      asked({ "sixgate.open": "443" })(stand);
      stand.controller.scene.refusals.set("vm1", [
        refusal({
          container: { id: "a".repeat(64), name: "web" },
          to: web,
          at: "sixgate.open rule 1",
          code: "E918",
          why: "Too many",
        }),
      ]);
    },
    to: "vm1/web:443",
    verdict: "closed",
    chain: ["address holds", "request holds", "decision missing E918", "element missing", "host holds"],
  },
  {
    name: "granted, but not open yet",
    scene: asked({ "sixgate.open": "443" }),
    to: "vm1/web:443",
    verdict: "closed",
    chain: ["address holds", "request holds", "decision unknown", "element missing", "host holds"],
  },
  {
    name: "open to others only",
    scene: opened(opening("a", { service: tcp(22), from: [office] })),
    to: "vm1/web:22",
    verdict: "closed",
    chain: ["address holds", "request holds", "decision missing", "element missing", "host holds"],
    says: /Open to 2001:db8:aaaa::\/48 only, not to everybody.*lets it in from 2001:db8:aaaa::\/48 only/s,
  },
  {
    name: "the same, from where it is open",
    scene: opened(opening("a", { service: tcp(22), from: [office] })),
    to: "vm1/web:22",
    from: "2001:db8:aaaa::7",
    verdict: "open",
    chain: everyLink,
  },
  {
    name: "two openings that let in together what is asked about",
    scene: opened(
      opening("a", { service: tcp(22), from: [prefix("2001:db8:aaaa::/49")] }),
      opening("b", { service: tcp(22), from: [prefix("2001:db8:aaaa:8000::/49")] }),
    ),
    to: "vm1/web:22",
    from: "office",
    verdict: "open",
    chain: [
      "address holds",
      "request holds",
      "decision holds",
      "request holds",
      "decision holds",
      "element holds",
      "host holds",
    ],
  },
  {
    name: "the gateway lost it",
    scene: enforced([opening("a")], () => Promise.resolve([])),
    to: "vm1/web:443",
    verdict: "closed",
    chain: ["address holds", "request holds", "decision holds", "element missing", "host holds"],
    says: /does not let 443\/tcp in, though it should/,
  },
  {
    name: "the gateway holds what nobody asked for: packets get in all the same",
    scene: (stand) => {
      asked({})(stand);
      stand.controller.inForce = () => Promise.resolve([{ service: tcp(443), from: [prefix("::/0")] }]);
    },
    to: "vm1/web:443",
    verdict: "open",
    chain: ["address holds", "request missing", "decision holds", "element holds", "host holds"],
  },
  {
    name: "a gateway that can't be read",
    scene: enforced([opening("a")], () => Promise.reject(new Failure("E503", "fw", "Not reached", "look"))),
    to: "vm1/web:443",
    verdict: "unknown",
    chain: ["address holds", "request holds", "decision holds", "element unknown E503", "host holds"],
  },
  {
    name: "a gateway that takes too long",
    scene: enforced([opening("a")], () => Promise.reject(new DOMException("late", "TimeoutError"))),
    to: "vm1/web:443",
    verdict: "unknown",
    chain: ["address holds", "request holds", "decision holds", "element unknown E503", "host holds"],
  },
  {
    name: "an opening of the fleet file, nothing drifted",
    scene: (stand) => {
      asked({})(stand);
      stand.controller.scene.openings.set("vm1", [
        opening("a", { askedBy: { kind: "fleet", name: "fleet.yaml", text: "443" }, grantedBy: "fleet.yaml" }),
      ]);
      stand.controller.inForce = () => Promise.resolve([]);
    },
    to: "vm1/web:443",
    verdict: "open",
    chain: everyLink,
  },
  {
    name: "an opening of the fleet file, on a gateway that drifted",
    scene: (stand) => {
      asked({})(stand);
      stand.controller.scene.gateway = { reached: true, drift: 1 };
      stand.controller.scene.openings.set("vm1", [
        opening("a", { askedBy: { kind: "fleet", name: "fleet.yaml", text: "443" } }),
      ]);
      stand.controller.inForce = () => Promise.resolve([]);
    },
    to: "vm1/web:443",
    verdict: "unknown",
    chain: ["address holds", "request holds", "decision holds", "element unknown", "host holds"],
  },
  {
    name: "a host whose agent never came: what is open is open",
    scene: (stand) => void stand.controller.scene.openings.set("vm1", [opening("a")]),
    to: "vm1/web:443",
    verdict: "open",
    chain: ["address unknown", "request holds", "decision holds", "element holds", "host holds"],
    says: /sixgate invite vm1/,
  },
  {
    name: "a container of the fleet file that does not run",
    scene: (stand) => {
      connected(stand);
      stand.controller.scene.openings.set("vm1", [opening("a")]);
    },
    to: "vm1/web:443",
    verdict: "closed",
    chain: ["address missing", "request holds", "decision holds", "element holds", "host holds"],
  },
  {
    name: "an address that nobody has",
    scene: connected,
    to: "[2001:db8:1234:321d:23::99]:443",
    verdict: "closed",
    chain: ["address missing", "request missing", "decision holds", "element missing", "host holds"],
  },
  {
    name: "the host's own address",
    scene: connected,
    to: "[2001:db8:1234:321d:20::2]:443",
    verdict: "closed",
    chain: ["address missing", "request missing", "decision missing E916", "element missing", "host holds"],
  },
  {
    name: "two gates, one of them shut",
    fleet: { profile: "two-gates" },
    scene: opened(opening("a")),
    to: "vm1/web:443",
    verdict: "closed",
    chain: ["address holds", "request holds", "decision holds", "element holds", "host missing"],
    says: /publish it: -p 443\/tcp/,
  },
  {
    name: "two gates, both open",
    fleet: { profile: "two-gates" },
    scene: (stand) => {
      connected(stand);
      stand.controller.scene.containers.set("vm1", [
        containerReport({ published: [{ transport: "tcp", ports: { first: 443, last: 443 } }] }),
      ]);
      stand.controller.scene.openings.set("vm1", [opening("a")]);
    },
    to: "vm1/web:443",
    verdict: "open",
    chain: everyLink,
  },
  {
    name: "an internal network",
    fleet: { internal: true },
    scene: opened(opening("a")),
    to: "vm1/web:443",
    verdict: "closed",
    chain: ["address holds", "request holds", "decision holds", "element holds", "host missing"],
  },
  {
    name: "ping",
    scene: opened(opening("a", { service: { kind: "ping" } })),
    to: "vm1/web:ping",
    verdict: "open",
    chain: everyLink,
  },
  {
    name: "from a neighbour, where hosts may reach each other",
    fleet: { between: "open" },
    scene: asked({}),
    to: "vm1/web:25",
    from: "vm2",
    verdict: "open",
    chain: ["address holds", "element holds", "host holds"],
    says: /policy\.between-hosts is open/,
  },
  {
    name: "from a neighbour, where an opening is needed",
    scene: asked({}),
    to: "vm1/web:25",
    from: "vm2",
    verdict: "closed",
    chain: ["address holds", "request missing", "decision missing E912", "element missing", "host holds"],
  },
  {
    name: "from a container of a neighbour, which an opening to anybody lets in",
    scene: (stand) => {
      asked({})(stand);
      stand.controller.scene.containers.set("vm2", [
        containerReport({
          name: "api",
          endpoints: [{ network: "web", networkId: "n2", address: address("2001:db8:1234:321d:32::80") }],
        }),
      ]);
      stand.controller.scene.openings.set("vm1", [opening("a")]);
    },
    to: "vm1/web:443",
    from: "vm2/api",
    verdict: "open",
    chain: everyLink,
  },
  {
    name: "from the same host, which never passes the gateway",
    scene: asked({}),
    to: "vm1/web:443",
    from: "vm1/web",
    verdict: "unknown",
    chain: ["address holds", "element unknown", "host holds"],
    says: /never passes the gateway/,
  },
  {
    name: "a container that shares the networks of another one, and asks",
    scene: (stand) => {
      connected(stand);
      const side = containerReport({
        id: "b".repeat(64),
        name: "side",
        mode: "container",
        sharesWith: "a".repeat(64),
        endpoints: [],
        labels: { "sixgate.open": "22" },
      });
      stand.controller.scene.containers.set("vm1", [containerReport(), side]);
    },
    to: "vm1/web:22",
    verdict: "closed",
    chain: ["address holds", "request holds", "decision missing E913", "element missing", "host holds"],
  },
];

test.each(questions)("why: $name", async ({ fleet, scene, to, from, verdict, chain, says }) => {
  await withApi(
    async (stand) => {
      scene(stand);
      const [path, ...more] = await why(stand, to, from);
      expect(more).toEqual([]);
      expect(shape(path)).toEqual(chain);
      expect(path?.verdict).toBe(verdict);
      if (says !== undefined)
        expect(path?.links.map((link) => `${link.text} ${link.fix ?? ""}`).join("\n")).toMatch(says);
      for (const link of path?.links ?? [])
        expect({ ...link, fixed: link.fix !== undefined }).toMatchObject({ fixed: link.state !== "holds" });
    },
    [],
    (now) => new MemoryController(now, basis(fleet)),
  );
});

test("why: a container in two networks has an answer for each", async () => {
  await withApi(async (stand) => {
    const db = address("2001:db8:1234:321d:22::7");
    const endpoints = [
      { network: "web", networkId: "n1", address: web },
      { network: "db", networkId: "n2", address: db },
    ];
    stand.controller.scene.containers.set("vm1", [containerReport({ endpoints })]);
    stand.controller.scene.openings.set("vm1", [opening("a")]);
    const paths = await why(stand, "vm1/web:443");
    expect(paths.map(({ to, verdict }) => [to, verdict])).toEqual([
      [web, "open"],
      [db, "closed"],
    ]);
    expect((await why(stand, `vm1/${"a".repeat(12)}:443`)).length).toBe(2);
  });
});

test("why: the proof, where there is one, is the last link, and decides with the others", async () => {
  const state = { holds: true };
  await withApi(
    async (stand) => {
      asked({})(stand);
      stand.controller.scene.openings.set("vm1", [opening("a")]);
      expect(shape((await why(stand, "vm1/web:443"))[0]).at(-1)).toBe("proof holds");
      state.holds = false;
      const [path] = await why(stand, "vm1/web:443");
      expect(path?.verdict).toBe("closed");
    },
    [],
    undefined,
    async ({ to }) =>
      state.holds
        ? { link: "proof", state: "holds", text: `${to} is reachable` }
        : { link: "proof", state: "missing", text: "no", fix: "look" },
  );
});

test.each([
  ["vm9/web:443", 404, "E960", "No host"],
  ["vm1/wbe:443", 404, "E960", "did you mean"],
  ["vm2/ghost:443", 404, "E960", "never"],
  ["[2001:db8:ffff::1]:443", 404, "E960", "in no host's block"],
  ["vm1/web", 400, "E955", "Not a target"],
  ["2001:db8::1", 400, "E955", "Port missing"],
  ["[2001:db8::g]:443", 400, "E955", "Not an IPv6 address"],
  ["vm1:443", 400, "E955", "Not host/container"],
  ["/web:443", 400, "E955", "Not host/container"],
  ["vm1/web:", 400, "E955", "Not a target"],
  ["vm1/web:0", 400, "E955", "Not a port"],
  ["vm1/web:443/tcp+udp", 400, "E955", "Not one service"],
  ["vm1/web:published", 400, "E955", "Not one service"],
  ["vm1/<b>\u202e:443", 404, "E960", "\\u{202e}"],
])("why %s: %d", async (to, status, code, says) => {
  await withApi(async (stand) => {
    stand.controller.scene.agents.push({ host: vm1, state: "connected", containers: 1 });
    stand.controller.scene.containers.set("vm1", [containerReport()]);
    const said = await stand.ask(`/api/v1/why?${new URLSearchParams({ to }).toString()}`);
    expect(said.status).toBe(status);
    const { errors } = JSON.parse(said.text) as { errors: { code: string; text: string; fix: string }[] };
    expect(errors[0]?.code).toBe(code);
    expect(errors[0]?.text).toContain(says);
  });
});

test.each(["nowhere", "@nobody", "vm2/none", "192.0.2.1", "%web"])("why from %s is no vantage", async (from) => {
  await withApi(async (stand) => {
    const said = await stand.ask(`/api/v1/why?${new URLSearchParams({ to: "vm1/web:443", from }).toString()}`);
    expect(said.status).toBe(400);
    expect(said.text).toContain("query.from");
  });
});
