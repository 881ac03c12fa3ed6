import { setTimeout as pause } from "node:timers/promises";
import { startNetworkd } from "../src/lab/node-networkd.ts";
import { main } from "./cli/run.ts";
import { layIfupdown2, missingIfupdown2 } from "./conformance/ifupdown2.ts";
import { missingFor } from "./conformance/needs.ts";
import { type Holder, must, startHolder } from "./holder.ts";
import { cable, nameForSsh, noSshMachine, sshClient, startSshd } from "./ssh-machine.ts";

/** What makes the gateway's own network, and the call of its program that is held up half-way. */
export const networkKinds = [
  { network: "networkd", program: "networkctl reload" },
  { network: "netplan", program: "netplan generate" },
  { network: "ifupdown", program: "ifreload -a" },
] as const;

export type NetworkKind = (typeof networkKinds)[number];

/** The call of the program that takes the gateway's rules. */
export const filterProgram = "nft -f -";

export type Wish = {
  readonly hosts?: number;
  /** Services of the first host's container. */
  readonly ports?: string;
  /** Who may log in. The desk is 10.10.10.9. */
  readonly admins?: string;
};

export type Ended = { readonly code: number; readonly said: string };

const links = [
  { name: "up0", mac: "02:00:00:00:00:10" },
  { name: "in0", mac: "02:00:00:00:00:11" },
] as const;

function fleetOf(network: string, { hosts = 1, ports = "[443]", admins = "10.10.10.0/24" }: Wish): string {
  const host = (n: number): string => `  app${n}:
    public: { device: eth0, mac: "02:00:00:00:01:0${n}" }
    docker: { engine: "28.5", networks: { web: {} }, containers: { www: { network: web, address: "::80" } } }
`;
  return `sixgate: 1
fleet: desk
prefix: 2001:db8:77::/64
networks:
  wan: { role: uplink }
  mgmt: { role: management, ipv4: 10.10.10.0/24 }
  lan: { role: hosts }
gateway:
  name: gw
  kind: nftables
  reach: ssh:root@gw
  network: ${network}
  uplink: { network: wan, device: up0, mac: "${links[0].mac}" }
  hosts: { network: lan, device: in0, mac: "${links[1].mac}" }
  management: { device: mg0, mac: "02:00:00:00:00:12", ipv4: 10.10.10.2/24 }
  admins: [${admins}]
hosts:
${Array.from({ length: hosts }, (_, i) => host(i + 1)).join("")}openings:
  - { to: app1/www, ports: ${ports}, from: any }
`;
}

const prepare: Readonly<Record<NetworkKind["network"], (gate: Holder) => Promise<void>>> = {
  networkd: ({ shell }) => startNetworkd(shell),
  async netplan({ shell }) {
    await shell.write("/etc/netplan/01-base.yaml", "network:\n  version: 2\n  renderer: networkd\n", 0o600);
    await startNetworkd(shell);
  },
  async ifupdown(gate) {
    await layIfupdown2(gate);
    const text = "auto lo\niface lo inet loopback\n\nsource /etc/network/interfaces.d/*\n";
    await gate.shell.write("/etc/network/interfaces", text);
  },
};

export async function missingForStand(network: NetworkKind["network"]): Promise<string | undefined> {
  const reason = await noSshMachine(["nft", "conntrack"]);
  if (reason !== undefined) return reason;
  if (network === "ifupdown") return missingIfupdown2();
  return missingFor(["networkctl", "dbus-daemon", ...(network === "netplan" ? ["netplan"] : [])]);
}

/**
 * A desk on which sixgate runs and a gateway that it reaches by ssh alone, over a management cable: two machines with
 * networks, processes and files of their own, so what a test takes away is really gone. No systemd is PID 1 there: what
 * waits on the gateway is the watchdog's process of a session of its own.
 */
export class SshStand {
  readonly #desk: Holder;
  readonly #gate: Holder;
  readonly #network: string;

  private constructor(desk: Holder, gate: Holder, network: string) {
    this.#desk = desk;
    this.#gate = gate;
    this.#network = network;
  }

  static async start(network: NetworkKind["network"]): Promise<SshStand> {
    const desk = await startHolder("desk");
    const gate = await startHolder("gate").catch(async (cause: unknown) => {
      await desk.stop();
      throw cause;
    });
    const stand = new SshStand(desk, gate, network);
    await stand.#prepare(prepare[network]).catch(async (cause: unknown) => {
      await stand.stop();
      throw cause;
    });
    return stand;
  }

  async stop(): Promise<void> {
    await this.#desk.stop();
    await this.#gate.stop();
  }

  /** Runs a script that has to succeed, and gives what it printed. */
  onDesk(script: string): Promise<string> {
    return must(this.#desk.shell, ["sh", "-ec", script]);
  }

  onGate(script: string): Promise<string> {
    return must(this.#gate.shell, ["sh", "-ec", script]);
  }

  async #prepare(bringTool: (gate: Holder) => Promise<void>): Promise<void> {
    await cable({ pid: this.#desk.pid, name: "mg0" }, { pid: this.#gate.pid, name: "mg0" });
    await this.onDesk("ip link set mg0 up; ip addr add 10.10.10.9/24 dev mg0");
    for (const { name, mac } of links)
      await this.onGate(
        `ip link add ${name} address ${mac} type veth peer name x-${name}; ip link set x-${name} up; ip link set ${name} up`,
      );
    await this.onGate("ip link set mg0 address 02:00:00:00:00:12 up; ip addr add 10.10.10.2/24 brd + dev mg0");
    await bringTool(this.#gate);
    const publicKey = await sshClient(this.#desk.shell);
    const gw = await startSshd(this.#gate.shell, { address: "10.10.10.2", port: 22, publicKey });
    await nameForSsh(this.#desk.shell, { gw });
    await this.#standIns();
  }

  /** Programs that do their work and then, where they are told to, wait once: who asked is half-way through a change then. */
  async #standIns(): Promise<void> {
    const programs = [filterProgram, ...networkKinds.map(({ program }) => program)].map((each) => each.split(" ")[0]);
    await this.onGate(`mount -t tmpfs -o mode=755 tmpfs /usr/local/sbin
for program in ${programs.join(" ")}; do
  real=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v $program) || continue
  cat >/usr/local/sbin/$program <<EOF
#!/bin/sh
"$real" "\\$@"
code=\\$?
if [ "$program \\$*" = "\\$(cat /run/hold-at 2>/dev/null)" ] && mv /run/hold-at /run/held; then
  while [ -e /run/held ]; do sleep 0.1; done
fi
exit \\$code
EOF
  chmod 755 /usr/local/sbin/$program
done`);
  }

  /** What an apply could have changed on the gateway, without counters, lifetimes and former texts that are kept. */
  state(): Promise<string> {
    return this.onGate(`ip -o addr | sed 's/ *valid_lft.*//; s/ tentative//'; ip -6 route; ip -4 route; nft -s list ruleset
for each in /etc/systemd/network /etc/network/interfaces.d /etc/netplan /etc/sixgate /etc/sysctl.d; do
  if [ -d $each ]; then find $each -path /etc/sixgate/previous -prune -o -type f -exec md5sum {} + | sort; fi
done`);
  }

  /** Applies on the desk, to the end. */
  async apply(wish: Wish, ...words: readonly string[]): Promise<Ended> {
    await this.#desk.shell.write("/run/fleet/fleet.yaml", fleetOf(this.#network, wish));
    // What a killed one leaves is the desk's, and goes with it.
    const argv = [
      "env",
      "TMPDIR=/run",
      process.execPath,
      main,
      "-C",
      "/run/fleet",
      "apply",
      "--yes",
      "--only",
      "gw",
      ...words,
    ];
    const ran = await this.#desk.shell.run(argv, { timeout: 180_000 });
    return { code: ran.code, said: `${ran.stdout}${ran.stderr}` };
  }

  /**
   * Begins an apply that the gateway waits 15 seconds for the confirmation of, and resolves where `program` has done
   * its work and not said so yet.
   */
  async applyUntil(program: string, wish: Wish): Promise<{ readonly end: Promise<Ended> }> {
    await this.onGate(`printf %s '${program}' >/run/hold-at`);
    const end = this.apply(wish, "--confirm-within", "15");
    let early: Ended | undefined;
    void end.then((ended) => (early = ended));
    await until("the half-way", async () => {
      if (early !== undefined) throw new Error(`It ended before it was half-way: ${early.said}`);
      return (await this.#gate.shell.list("/run")).includes("held");
    });
    return { end };
  }

  /** Kills sixgate itself, not its ssh: it is on the desk as a process of its own. */
  kill(): Promise<string> {
    return this.onDesk("kill -KILL $(pgrep -f '[c]li/main.ts')");
  }

  /** Whether the cable between the two carries anything. */
  async isWired(): Promise<boolean> {
    return (await this.onGate("ip -o link show mg0")).includes("state UP");
  }

  /** Lets the program that waits end. */
  release(): Promise<string> {
    return this.onGate("rm -f /run/held");
  }

  /** Files of undos on the gateway. */
  undos(): Promise<readonly string[]> {
    return this.#gate.shell.list("/run/sixgate/undo");
  }

  /** The gateway's own processes that wait for a confirmation. */
  waiting(): Promise<string> {
    return this.onGate("pgrep -af '[/]run/sixgate/undo' || true");
  }
}

export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  for (const start = performance.now(); performance.now() - start < 120_000; ) {
    if (await isTrue()) return;
    await pause(100);
  }
  throw new Error(`It did not come: ${what}`);
}
