import { bootPath } from "../../../../src/drivers/nftables/boot.ts";
import { planDevice } from "../../../../src/drivers/plan-device.ts";
import { must } from "../../../lab/harness.ts";
import { faultIn, step } from "../ask.ts";
import type { Procedure } from "../procedures.ts";

/** RFC 6164, RFC 9099 §2.1.2. */
export const nextHop: Procedure = {
  says: "the gateway's default route",
  async run(bench) {
    const route = (await must(bench.lab.shell("fw"), ["ip", "-6", "route", "show", "default"])).trim();
    return /^default via fe80::\S+ dev \S+/.test(route) && !route.includes("\n") ? undefined : `it is: ${route}`;
  },
};

/** RFC 9099 §2.4.2: an administrator's machine gets an answer (nobody listens, so it is a refusal), on that port alone. */
export const management: Procedure = {
  says: "from the management network: SSH is let in, other ports are not",
  async run(bench) {
    const host = bench.lab.shell("vm1");
    const connect = async (port: number): Promise<"answered" | "silent"> => {
      const { code } = await host.run(["timeout", "3", "bash", "-c", `exec 3<>/dev/tcp/10.10.10.2/${port}`]);
      return code === 124 ? "silent" : "answered";
    };
    const [ssh, ...others] = await Promise.all([22, 53, 80, 443, 8080].map(connect));
    if (ssh !== "answered") return "an administrator does not reach SSH";
    return others.some((each) => each === "answered") ? "the management network reaches more than SSH" : undefined;
  },
};

/** As after a restart: nothing is left but the file that the driver wrote when it confirmed. */
export const bootFile: Procedure = {
  says: "the table is gone and the boot file loaded: an opened port, a closed one, one that is open for others; the driver sees no drift",
  async run(bench) {
    const gateway = bench.lab.shell(bench.desired.device);
    await must(gateway, ["nft", "delete", "table", "inet", "sixgate"]);
    await must(gateway, ["nft", "-f", bootPath]);
    const fault = await faultIn(bench, "after a restart", [
      step("internet", "ip(peer, mute)/UDP(sport=sp, dport=443)", "forwarded"),
      step("internet", "ip(peer, mute)/UDP(sport=sp, dport=444)", "dropped"),
      step("internet", "ip(peer, api)/TCP(sport=sp, dport=8000, flags='S')", "dropped"),
      step("vm1", "ip(calm, peer)/UDP(sport=sp, dport=9000)", "dropped"),
    ]);
    if (fault !== undefined) return fault;
    const { set } = await planDevice(gateway, bench.desired);
    return set.changes.length === 0 ? undefined : `${set.changes.length} things are not as planned`;
  },
};
