import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { derive } from "../../src/desired/derive.ts";
import { planDevice } from "../../src/drivers/plan-device.ts";
import { containerShell } from "../../src/lab/container-shell.ts";
import { askTruth, gatewayOf, truthTable } from "../../src/lab/truth.ts";
import { internetAddress, internetAddress4 } from "../../src/lab/vantage.ts";
import { offset } from "../../src/net/address.ts";
import { baseOf } from "../../src/net/prefix.ts";
import { ask } from "../../src/probe/probe.ts";
import { type LabUnderTest, must, witness } from "./harness.ts";

const listener = fileURLToPath(new URL("../../src/probe/listener.ts", import.meta.url));

/** A listener in a node's or a container's network for the length of one test. */
async function listening<T>(
  enter: readonly string[],
  name: string,
  places: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const [program = "", ...args] = [...enter, process.execPath, listener, name, ...places];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`listener ended with ${code}`)));
    });
    return await work();
  } finally {
    child.kill("SIGKILL");
  }
}

function enterNode(pid: number): readonly string[] {
  return ["nsenter", "-t", String(pid), "-m", "-n", "-p", "-r", "-w", "--"];
}

/** What must hold in every lab, whatever its addresses, delivery and containers: asked with packets. */
export function packetTruth(lab: () => LabUnderTest): void {
  const containersOf = (host: string) => {
    const found = lab().running.filter((each) => each.host === host);
    const [plain, ...rest] = found;
    if (plain === undefined) throw new Error(`no container on ${host}`);
    return { plain, rest };
  };
  const two = () => {
    const [first, second] = lab().wish.topology.hosts;
    if (first === undefined || second === undefined) throw new Error("two hosts are needed");
    return {
      a: containersOf(first).rest[0] ?? containersOf(first).plain,
      b: containersOf(second).rest[0] ?? containersOf(second).plain,
      first,
      second,
    };
  };

  test("every row of the truth table is as the fleet file says", async () => {
    const { fleet, wish, running, nodes } = lab();
    const verdicts = await askTruth(truthTable(fleet, wish.plan, running, nodes));
    expect(
      verdicts
        .filter((verdict) => !verdict.passed)
        .map(
          ({ row, answer }) =>
            `${row.from} → ${row.to} ${row.what}: want ${row.want}, ${answer.state} ${answer.reason} ${answer.said}`,
        ),
    ).toEqual([]);
    const { openings } = gatewayOf(fleet, wish.plan);
    expect(verdicts.some(({ row, answer }) => row.want === "open" && answer.state === "open")).toBe(
      openings.length > 0 || fleet.policy.betweenHosts === "open",
    );
    expect(verdicts.filter(({ row }) => row.want === "closed").length).toBeGreaterThan(5);
  });

  test("the second plan of every device is empty", async () => {
    const { fleet, wish } = lab();
    const wanted = derive(fleet, wish.plan).filter((each) => wish.containers === "docker" || each.layer !== "engine");
    for (const desired of wanted) {
      const { set } = await planDevice(lab().shell(desired.device), desired);
      expect({ device: desired.device, layer: desired.layer, changes: set.changes }).toEqual({
        device: desired.device,
        layer: desired.layer,
        changes: [],
      });
    }
  });

  test("hosts are routed to each other without translation: the source address is kept", async () => {
    const { a, b, second } = two();
    const node = lab().node(b.node);
    await listening(
      [...enterNode(node.pid), "nsenter", "-t", String(b.pid), "-n", "--"],
      second,
      ["tcp/7001"],
      async () => {
        const [answer] = await ask(containerShell(lab().nodes, a), [
          { from: a.address, to: b.address, transport: "tcp", port: 7001 },
        ]);
        const open = lab().fleet.policy.betweenHosts === "open";
        expect(answer?.state).toBe(open ? "open" : "filtered");
        if (open) expect(answer?.said).toBe(`${second} saw ${a.address}\n`);
      },
    );
  });

  test("containers reach the Internet with their own address", async () => {
    const { a } = two();
    await listening(enterNode(lab().node("internet").pid), "internet", ["tcp/7002", "udp/7002"], async () => {
      const answers = await ask(containerShell(lab().nodes, a), [
        { from: a.address, to: internetAddress, transport: "tcp", port: 7002 },
        { from: a.address, to: internetAddress, transport: "udp", port: 7002 },
        { from: a.address, to: internetAddress, transport: "ping" },
      ]);
      expect(answers.map((each) => each.state)).toEqual(["open", "open", "open"]);
      expect(answers[0]?.said).toBe(`internet saw ${a.address}\n`);
      expect(answers[1]?.said).toBe(`internet saw ${a.address}\n`);
    });
  });

  test("a host can't send with another host's address, nor with a foreign one", async () => {
    const { first, second } = two();
    const plan = lab().wish.plan;
    const [own, other] = [first, second].map((name) => plan.hosts.find((host) => host.host === name));
    const spoofed = [other?.address, offset(baseOf(plan.infrastructure), 0x99), "2001:db8:9999::1"].map(
      (each) => each ?? "",
    );
    const shell = lab().shell(first);
    const seen = await witness(lab().shell("internet"), "spoof", `ip6 saddr { ${spoofed.join(", ")} }`);
    const honest = await witness(lab().shell("internet"), "honest", `ip6 saddr ${own?.address} udp dport 9`);
    for (const source of spoofed) await must(shell, ["ip", "-6", "addr", "add", `${source}/128`, "dev", "lo", "nodad"]);
    try {
      const questions = [...spoofed, own?.address ?? ""].map((from) => ({
        from,
        to: internetAddress,
        transport: "udp" as const,
        port: 9,
      }));
      await ask(shell, questions, 300);
      expect(await seen()).toBe(0);
      expect(await honest()).toBe(1);
    } finally {
      for (const source of spoofed) await must(shell, ["ip", "-6", "addr", "del", `${source}/128`, "dev", "lo"]);
    }
  });

  test("packets from outside with an inside, a link-local, or a bogon source die at the gateway", async () => {
    const { a, first } = two();
    const { plan } = lab().wish;
    const spoofed = [
      plan.hosts.at(-1)?.address,
      offset(baseOf(plan.delegated), 0x1234),
      "fd00::1",
      "2002:db8::1",
      "3fff::1",
    ].map((each) => each ?? "");
    const opening = gatewayOf(lab().fleet, plan).openings.find(
      (each) => each.service.kind === "ports" && each.from.includes("::/0" as never),
    );
    const to = opening?.to ?? a.address;
    const port = opening?.service.kind === "ports" ? opening.service.ports.first : 80;
    const shell = lab().shell("internet");
    const host =
      plan.hosts.find((each) => lab().running.some((one) => one.address === to && one.host === each.host))?.host ??
      first;
    const seen = await witness(lab().shell(host), "outside", `ip6 daddr ${to} ip6 saddr { ${spoofed.join(", ")} }`);
    const honest = await witness(
      lab().shell(host),
      "fair",
      `ip6 daddr ${to} ip6 saddr ${internetAddress} meta l4proto tcp`,
    );
    for (const source of spoofed) await must(shell, ["ip", "-6", "addr", "add", `${source}/128`, "dev", "lo", "nodad"]);
    try {
      await ask(
        shell,
        [...spoofed, internetAddress].map((from) => ({ from, to, transport: "tcp" as const, port })),
        300,
      );
      expect(await seen()).toBe(0);
      if (opening !== undefined) expect(await honest()).toBeGreaterThan(0);
    } finally {
      for (const source of spoofed) await must(shell, ["ip", "-6", "addr", "del", `${source}/128`, "dev", "lo"]);
    }
  });

  test("packets to unused space do not loop", async () => {
    const { plan } = lab().wish;
    const [host] = plan.hosts;
    // In no block, in no host's block, in a host's block but in none of its networks.
    const unused = [
      offset(baseOf(plan.delegated), 0xdead_0000_0000_0000n),
      offset(baseOf(host?.block ?? plan.delegated), 0xe_0000_0000_00d0n),
    ].map((each) => each ?? "");
    const seen = await witness(lab().shell("provider"), "loop", `ip6 daddr { ${unused.join(", ")} }`);
    const outside = lab().shell("internet");
    const inside = lab().shell(host?.host ?? "");
    await ask(
      outside,
      unused.map((to) => ({ from: internetAddress, to, transport: "ping" as const })),
    );
    await ask(
      inside,
      unused.map((to) => ({ from: host?.address ?? "", to, transport: "ping" as const })),
    );
    const { delivery } = lab().fleet.provider;
    // One packet each from outside passes the provider once (none where it asks for a neighbour first); none comes back.
    expect(await seen()).toBe(delivery === "routed" ? unused.length : 2);
  });

  test("the hypervisor can't be reached over the hosts' bridge, nor do hosts see each other there", async () => {
    const { first, second } = two();
    const { hypervisor, ports } = lab().wish.topology;
    const addresses = await must(lab().shell(hypervisor), ["ip", "-6", "-o", "addr", "show", "scope", "link"]);
    for (const { bridge } of ports) expect(addresses).not.toContain(` ${bridge} `);
    const nic = lab().fleet.hosts.get(first as never)?.public.device ?? "";
    const heard = await lab()
      .shell(first)
      .run(["ping", "-6", "-n", "-c2", "-i0.2", "-W1", `ff02::1%${nic}`]);
    const neighbours = await must(lab().shell(second), [
      "ip",
      "-6",
      "-o",
      "addr",
      "show",
      "dev",
      lab().fleet.hosts.get(second as never)?.public.device ?? "",
      "scope",
      "link",
    ]);
    const other = /inet6 (fe80::[0-9a-f:]+)/.exec(neighbours)?.[1];
    expect(other).toBeDefined();
    expect(heard.stdout).not.toContain(other ?? "");
    const direct = await lab()
      .shell(first)
      .run(["ping", "-6", "-n", "-c1", "-W1", `${other}%${nic}`]);
    expect(direct.code).not.toBe(0);
  });

  test("Too Big arrives: a large answer crosses a narrow link", async () => {
    const { a } = two();
    const provider = lab().shell("provider");
    const internet = lab().shell("internet");
    const narrow = async (mtu: string): Promise<void> => {
      await must(provider, ["ip", "link", "set", "dev", "up0", "mtu", mtu]);
      await must(internet, ["ip", "link", "set", "dev", "eth0", "mtu", mtu]);
    };
    await narrow("1280");
    const tooBig = await witness(lab().shell(lab().wish.topology.gateway), "big", "icmpv6 type packet-too-big");
    try {
      // 1,400 bytes and the IPv6 and ICMPv6 headers do not fit into 1280: the first is lost, its error teaches the sender.
      const shell = containerShell(lab().nodes, a);
      const ran = await shell.run([
        "ping",
        "-6",
        "-n",
        "-c3",
        "-i0.3",
        "-W1",
        "-s1400",
        "-I",
        a.address,
        internetAddress,
      ]);
      expect(await tooBig()).toBeGreaterThan(0);
      expect(ran.stdout).toMatch(/, [12] received/);
    } finally {
      await narrow("1500");
    }
  });

  test("IPv4 of the management network goes out by translation, and nothing comes in", async () => {
    const { first } = two();
    const nat = lab().fleet.gateway.uplink.ipv4?.split("/")[0];
    const own = lab()
      .fleet.hosts.get(first as never)
      ?.management?.ipv4?.split("/")[0];
    if (nat === undefined || own === undefined) throw new Error("the fleet has no IPv4");
    await listening(enterNode(lab().node("internet").pid), "internet", ["tcp/7004"], async () => {
      const [answer] = await ask(lab().shell(first), [
        { from: own, to: internetAddress4, transport: "tcp", port: 7004 },
      ]);
      expect(answer?.state).toBe("open");
      expect(answer?.said).toBe(`internet saw ::ffff:${nat}\n`);
    });
    const answers = await ask(
      lab().shell("internet"),
      [22, 80, 53].map((port) => ({ from: internetAddress4, to: nat, transport: "tcp" as const, port })),
    );
    expect(answers.map((each) => each.reason)).toEqual(["no-response", "no-response", "no-response"]);
  });

  test("the gateway itself answers nothing from outside", async () => {
    const { plan } = lab().wish;
    const targets = [plan.uplink.address, ...plan.hosts.map((host) => host.gateway)];
    const questions = targets.flatMap((to) =>
      [22, 53, 80, 179, 443].map((port) => ({ from: internetAddress, to, transport: "tcp" as const, port })),
    );
    const answers = await ask(lab().shell("internet"), questions);
    expect(answers.filter((each) => each.reason !== "no-response")).toEqual([]);
  });
}
