import { setTimeout as pause } from "node:timers/promises";
import { address } from "../../../../src/net/address.ts";
import { prefix } from "../../../../src/net/prefix.ts";
import type { Opening } from "../../../../src/openings/opening.ts";
import { askSteps, faultIn, step } from "../ask.ts";
import { flowClocks, peerOf } from "../clocks.ts";
import type { Procedure } from "../procedures.ts";

/** RFC 6092 REC-16: the clock of a flow goes back when a packet leaves. */
export const refresh: Procedure = {
  says: "a flow, 3 s of silence, a packet from inside: its clock before and after",
  async run(bench) {
    const [asked] = await askSteps(bench, [[step("vm1", "ip(mute, peer)/UDP(sport=sp, dport=9000)", "forwarded")]]);
    if (asked === undefined) return "was not asked";
    const peer = peerOf(asked.number);
    await pause(3000);
    const before = (await flowClocks(bench)).get(peer);
    // The same flow once more: with that case's number as its own.
    const again = step("vm1", "ip(mute, to)/UDP(sport=port, dport=9000)", "forwarded", {
      to: peer,
      port: 10_000 + (asked.number % 50_000),
    });
    await askSteps(bench, [[again]]);
    const after = (await flowClocks(bench)).get(peer);
    if (before === undefined || after === undefined) return "the gateway has no state of the flow";
    return after > before
      ? undefined
      : `its state would end in ${before} s, and after a packet from inside in ${after} s`;
  },
};

const port = 8080;

/** RFC 6092 REC-48, at the gateway: what is asked for is open from then on, and closed again when it is given back. */
export const opening: Procedure = {
  says: "a SYN before an opening, while it is there, and after",
  async run(bench) {
    const shut = bench.lab.running.find((each) => each.name === "shut");
    const [first] = bench.desired.hosts;
    if (shut === undefined || first === undefined) throw new Error("The bench has no container of that name");
    const asked: Opening = {
      host: first.host,
      to: address(shut.address),
      service: { kind: "ports", transport: "tcp", ports: { first: port, last: port } },
      from: [prefix("::/0")],
      askedBy: "conformance",
    };
    const send = `ip(peer, shut)/TCP(sport=sp, dport=${port}, flags='S')`;
    const before = await faultIn(bench, "before", [step("internet", send, "dropped")]);
    await bench.settle({ ...bench.desired, openings: [...bench.desired.openings, asked] });
    const during = await faultIn(bench, "while open", [step("internet", send, "forwarded, answered TCP SA")]);
    await bench.settle(bench.desired);
    return before ?? during ?? (await faultIn(bench, "after", [step("internet", send, "dropped")]));
  },
};
