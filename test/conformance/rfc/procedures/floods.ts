import { setTimeout as pause } from "node:timers/promises";
import { must } from "../../../lab/harness.ts";
import { askSteps, faultIn, step } from "../ask.ts";
import type { Procedure } from "../procedures.ts";

const timer = "net.netfilter.nf_conntrack_frag6_timeout";

/**
 * Six megabytes of first fragments whose rest never comes, against a memory of four. The time after which the kernel
 * gives them up is a minute; it is two seconds here, or the test would take as long.
 */
export const fragmentFlood: Procedure = {
  says: "5,000 unfinished datagrams, then one without fragments, then, when their time is over, one with",
  async run(bench) {
    const gateway = bench.lab.shell("fw");
    const usual = (await must(gateway, ["sysctl", "-n", timer])).trim();
    await must(gateway, ["sysctl", "-qw", `${timer}=2`]);
    try {
      const flood = "many(piece(ip(peer, mute)/UDP(sport=sp, dport=443)/Raw(bytes(1400)), 0, 1200), 5000)";
      const whole = "ip(peer, mute)/UDP(sport=sp, dport=443)/Raw(b'x' * 2000)";
      const fault =
        (await faultIn(bench, "the flood", [{ ...step("internet", flood, "dropped"), pause: 0 }])) ??
        (await faultIn(bench, "not in fragments", [step("internet", whole.replace("2000", "200"), "forwarded")]));
      await pause(4000);
      return fault ?? (await faultIn(bench, "in fragments", [step("internet", `split(${whole}, 1200)`, "forwarded")]));
    } finally {
      await must(gateway, ["sysctl", "-qw", `${timer}=${usual}`]);
    }
  },
};

/** The kernel's bound for all errors it makes, of a second (net.ipv4.icmp_msgs_per_sec; it counts for IPv6 too). */
const errorsPerSecond = 1000;
/** What the ruleset lets in of echo: a second's worth, and the burst before it. */
const echoes = { perSecond: 50, burst: 100 };

/** RFC 4443 §2.4 (f). */
export const errorFlood: Procedure = {
  says: "10,000 packets at their last hop, then 2,000 echo requests to the gateway, each from an address of its own: the answers are counted",
  async run(bench) {
    const count = async (send: string): Promise<{ answers: number; took: number }> => {
      const began = performance.now();
      const [asked] = await askSteps(bench, [[{ ...step("internet", send, "stopped"), pause: 0 }]]);
      const answers = asked?.outcomes[0]?.seen.filter((each) => each.kind === "answer").length ?? 0;
      return { answers, took: (performance.now() - began) / 1000 };
    };
    const source = "'2001:db8:fffe:2::', 64";
    const errors = await count(`scatter(ip(peer, mute, hlim=1)/UDP(sport=sp, dport=443), ${source}, 10000, "source")`);
    if (errors.answers > errorsPerSecond * (errors.took + 1)) {
      return `${errors.answers} errors in ${errors.took.toFixed(1)} s`;
    }
    const replies = await count(`scatter(ip(peer, gateway)/echo(n), ${source}, 2000, "source")`);
    if (replies.answers === 0) return "the gateway answers no echo at all";
    if (replies.answers > echoes.burst + echoes.perSecond * (replies.took + 1)) {
      return `${replies.answers} echo replies in ${replies.took.toFixed(1)} s`;
    }
    return undefined;
  },
};
