import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDoor } from "../../src/cli/door.ts";
import { type Remote, remoteAt } from "../../src/cli/remote.ts";
import type { AgentView, OpeningView, RefusalView, Status } from "../../src/controller/controller.ts";
import {
  agentName,
  agentsConnected,
  controllerName,
  runAgent,
  runController,
  sixgate,
} from "../../src/lab/controller.ts";
import { stopDaemon } from "../../src/lab/daemon.ts";
import { restartEngine } from "../../src/lab/engine.ts";
import { dockerClient } from "../../src/lab/engines.ts";
import { labImage } from "../../src/lab/image.ts";
import { internetAddress } from "../../src/lab/vantage.ts";
import { ask } from "../../src/probe/probe.ts";
import { bringUp, isRoot, type LabUnderTest, must } from "./harness.ts";

// Openings that follow the containers: real engines, the agent and the controller as they run in production, packets
// from the Internet.
describe.skipIf(!isRoot)("openings by labels (needs root)", () => {
  let lab: LabUnderTest;
  let controller: Remote;
  beforeAll(async () => {
    lab = await bringUp({ name: "test-openings", file: "examples/lab.yaml", containers: "docker" });
    controller = remoteAt(await openDoor({ lab: "test-openings" }));
  });
  afterAll(() => lab?.down());

  const docker = (host: string, ...words: readonly string[]): Promise<string> =>
    must(lab.shell(host), [dockerClient, ...words]);
  const openings = async (): Promise<readonly OpeningView[]> =>
    (await controller.get<{ readonly entries: readonly OpeningView[] }>("openings/1", "/api/v1/openings")).entries;
  const refusals = async (): Promise<readonly RefusalView[]> =>
    (await controller.get<{ readonly entries: readonly RefusalView[] }>("refusals/1", "/api/v1/refusals")).entries;
  const agents = async (): Promise<readonly AgentView[]> =>
    (await controller.get<{ readonly entries: readonly AgentView[] }>("agents/1", "/api/v1/agents")).entries;
  const status = (): Promise<Status> => controller.get<Status>("status/1", "/api/v1/status");
  const gateway = () => lab.node(lab.wish.topology.gateway);

  /** Starts a container that answers on 8080 and gives its address. */
  const start = async (host: string, name: string, label: string | undefined, ...more: string[]): Promise<string> => {
    const labels = label === undefined ? [] : ["--label", `sixgate.open=${label}`];
    await docker(host, "run", "-d", "--name", name, ...labels, ...more, labImage, "8080");
    const format = "{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}} {{end}}";
    return (await docker(host, "inspect", "--format", format, name)).trim();
  };
  const remove = (host: string, name: string): Promise<string> => docker(host, "rm", "-f", name);
  const seen = async (to: string, port = 8080, from: string = internetAddress): Promise<string | undefined> => {
    const [answer] = await ask(lab.shell("internet"), [{ from, to, transport: "tcp", port }], 700);
    return answer?.state;
  };
  /** Until it is so, or half a minute: what is waited for takes milliseconds, the machine may be busy. */
  const until = async (what: () => Promise<boolean>): Promise<boolean> => {
    for (const began = Date.now(); Date.now() - began < 30_000; await sleep(50)) if (await what()) return true;
    return false;
  };
  const opened = (to: string, port = 8080): Promise<boolean> => until(async () => (await seen(to, port)) === "open");
  const closed = (to: string, port = 8080): Promise<boolean> =>
    until(async () => (await seen(to, port)) === "filtered");

  test("a container's start opens what its label asks for, its end closes it", async () => {
    const to = await start("vm1", "start", "8080 # the test");
    expect(await opened(to)).toBe(true);
    const found = (await openings()).find((each) => each.to === to);
    expect(found).toMatchObject({ host: "vm1", grantedBy: "web", askedBy: { kind: "label" }, state: "open" });
    expect(await seen(to, 8081)).toBe("filtered");
    await remove("vm1", "start");
    expect(await closed(to)).toBe(true);
    expect((await openings()).some((each) => each.to === to)).toBe(false);
  });

  test("without a label nothing opens, and a label beyond the policy is refused with its code", async () => {
    const plain = await start("vm1", "unasked", undefined);
    const refused = await start("vm2", "greedy", "22; 2375; 8080 from any for 900d");
    expect(await until(async () => (await refusals()).filter((each) => each.to === refused).length === 2)).toBe(true);
    const codes = (await refusals()).filter((each) => each.to === refused).map((each) => each.code);
    expect(codes.toSorted()).toEqual(["E911", "E912"]);
    expect(await seen(plain)).toBe("filtered");
    expect(await seen(refused, 22)).toBe("filtered");
    await remove("vm1", "unasked");
    await remove("vm2", "greedy");
  });

  test("a closing cuts the flow that lives", async () => {
    const to = await start("vm1", "talker", "8080");
    expect(await opened(to)).toBe(true);
    // Holds a connection open and counts what still arrives: a line a second would come from the far side's answers.
    const script = `import socket,sys,time
s=socket.socket(socket.AF_INET6); s.bind(("${internetAddress}",0)); s.settimeout(3); s.connect(("${to}",8080))
open("/run/held","w").close()
while True:
    try: s.send(b"x")
    except OSError: break
    time.sleep(0.05)
`;
    const holder = lab.shell("internet").run(["timeout", "40", "python3", "-c", script], { timeout: 60_000 });
    expect(await until(async () => (await lab.shell("internet").read("/run/held")) !== undefined)).toBe(true);
    // The probes' own flows have ended, and are remembered for a while.
    const flows = async (): Promise<number> =>
      (await must(gateway().shell, ["conntrack", "-L", "-f", "ipv6", "-d", to])).split(" ESTABLISHED ").length - 1;
    expect(await flows()).toBe(1);
    await remove("vm1", "talker");
    expect(await until(async () => (await flows()) === 0)).toBe(true);
    await sleep(500);
    expect(await flows()).toBe(0);
    await lab.shell("internet").run(["pkill", "-f", "/run/held"]);
    await holder.catch(() => undefined);
  });

  test("an address that is used again does not inherit, round after round", async () => {
    for (let round = 0; round < 6; round++) {
      const first = await start("vm2", `old${round}`, "8080");
      expect(await opened(first)).toBe(true);
      await remove("vm2", `old${round}`);
      const second = await start("vm2", `new${round}`, undefined);
      expect(second).toBe(first);
      expect(await closed(second)).toBe(true);
      await sleep(100);
      expect(await seen(second)).toBe("filtered");
      // And the other way round: the newer owner's opening survives whatever is still said of the older one.
      await remove("vm2", `new${round}`);
      const third = await start("vm2", `third${round}`, "8080");
      expect(third).toBe(first);
      expect(await opened(third)).toBe(true);
      await sleep(200);
      expect(await seen(third)).toBe("open");
      await remove("vm2", `third${round}`);
    }
  }, 180_000);

  test("a network that is connected later is judged, and closed when it goes", async () => {
    await start("vm1", "late", "8080");
    await docker("vm1", "network", "connect", "web", "late");
    const format = '{{(index .NetworkSettings.Networks "web").GlobalIPv6Address}}';
    const to = (await docker("vm1", "inspect", "--format", format, "late")).trim();
    expect(await opened(to)).toBe(true);
    await docker("vm1", "network", "disconnect", "web", "late");
    expect(await until(async () => !(await openings()).some((each) => each.to === to))).toBe(true);
    await remove("vm1", "late");
  });

  test("the controller killed: what is open stays, what is new waits, and all is right when it is back", async () => {
    const stays = await start("vm1", "stays", "8080");
    const goes = await start("vm1", "goes", "8081");
    expect(await opened(stays)).toBe(true);
    await stopDaemon(gateway(), controllerName, "KILL");
    expect(await seen(stays)).toBe("open");
    const waits = await start("vm1", "waits", "8080");
    await remove("vm1", "goes");
    await sleep(1000);
    expect(await seen(waits)).toBe("filtered");
    await runController(lab.wish, gateway());
    expect(await opened(waits)).toBe(true);
    expect(await seen(stays)).toBe("open");
    expect(await until(async () => !(await openings()).some((each) => each.to === goes))).toBe(true);
    for (const name of ["stays", "waits"]) await remove("vm1", name);
  }, 120_000);

  test("an agent killed: its openings stay, and follow again when it is back", async () => {
    const stays = await start("vm1", "kept", "8080");
    expect(await opened(stays)).toBe(true);
    await stopDaemon(lab.node("vm1"), agentName, "KILL");
    await remove("vm1", "kept");
    const later = await start("vm1", "later", undefined);
    expect(later).toBe(stays);
    await runAgent(lab.node("vm1"));
    // The address has another owner now, who asked for nothing.
    expect(await closed(later)).toBe(true);
    await remove("vm1", "later");
  }, 120_000);

  test("the engine restarted: the openings are those of the containers that came back", async () => {
    const to = await start("vm2", "back", "8080", "--restart", "always");
    expect(await opened(to)).toBe(true);
    await restartEngine(lab.node("vm2"));
    const format = "{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}} {{end}}";
    let now = "";
    expect(
      await until(async () => {
        now = (await docker("vm2", "inspect", "--format", format, "back")).trim();
        return now !== "" && (await seen(now)) === "open";
      }),
    ).toBe(true);
    expect((await openings()).filter((each) => each.container?.name === "back").map((each) => each.to)).toEqual([now]);
    await remove("vm2", "back");
  }, 120_000);

  test("people open for a time and with a reason, bounded by the policy; the kernel ends it", async () => {
    const to = await start("vm1", "opened", undefined);
    const wish = { to: "vm1/opened", services: ["8080"], from: ["any"], seconds: 6, reason: "the test" };
    await controller.post("opened/1", "/api/v1/openings", wish);
    expect(await seen(to)).toBe("open");
    await stopDaemon(gateway(), controllerName, "KILL");
    expect(await closed(to)).toBe(true);
    await runController(lab.wish, gateway());
    await agentsConnected(gateway(), 2);
    expect((await openings()).some((each) => each.to === to)).toBe(false);
    await expect(
      controller.post("opened/1", "/api/v1/openings", { ...wish, services: ["2375"] }),
    ).rejects.toMatchObject({ diagnostics: [{ code: "E911" }] });
    await remove("vm1", "opened");
  }, 120_000);

  test("a taken-over host: another's identity, and addresses that are not its own, open nothing", async () => {
    const alarms = async (): Promise<string> =>
      await must(gateway().shell, sixgate("--json", "audit", "--most", "200"));
    // What vm1's agent keeps, in the hands of vm2.
    const folder = "/var/lib/sixgate/agent";
    for (const name of await lab.shell("vm1").list(folder))
      await lab
        .shell("vm2")
        .write(`/run/stolen/${name}`, (await lab.shell("vm1").read(`${folder}/${name}`)) ?? "", 0o600);
    const thief = lab.shell("vm2").run(["timeout", "10", ...sixgate("agent", "--state", "/run/stolen")]);
    expect(await until(async () => (await alarms()).includes("clone"))).toBe(true);
    await thief;
    await stopDaemon(lab.node("vm1"), agentName, "TERM");
    await runAgent(lab.node("vm1"));
    await agentsConnected(gateway(), 2);
    // An element that somebody puts by hand into the gateway's sets opens neither what policy forbids nor another block.
    const victim = await start("vm1", "victim", undefined);
    const sets = await must(gateway().shell, ["nft", "-j", "list", "sets"]);
    const dynamic = [...sets.matchAll(/"name": ?"(open[^"]+)"/g)].map((each) => each[1] ?? "");
    expect(dynamic.length).toBeGreaterThan(0);
    for (const name of dynamic)
      await gateway().shell.run(["nft", `add element inet sixgate ${name} { ${victim} . tcp . 22 }`]);
    expect(await seen(victim, 22)).toBe("filtered");
    await remove("vm1", "victim");
    expect((await agents()).every((each) => each.state === "connected")).toBe(true);
  }, 120_000);

  test("the journal has it all, and every entry holds the one before", async () => {
    const ran = await gateway().shell.run(sixgate("--json", "audit", "--verify"));
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: "" });
    expect((await status()).journal.entries).toBeGreaterThan(10);
    expect((await agents()).map((each) => each.state)).toEqual(["connected", "connected"]);
  });
});
