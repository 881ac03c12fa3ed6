import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, filterProgram, missingForStand, networkKinds, SshStand, until, type Wish } from "../ssh-stand.ts";

// Each test begins and ends with the same state on the gateway, applied and confirmed over ssh in the beginning.

const settled: Wish = {};

for (const { network, program } of networkKinds) {
  const reason = await missingForStand(network);
  describe.skipIf(reason !== undefined)(`dead-man over ssh, ${network}`, () => {
    let stand: SshStand;
    let before = "";

    beforeAll(async () => {
      stand = await SshStand.start(network);
      const applied = await stand.apply(settled);
      expect(applied.said).toMatch(/every device read back and confirmed[\s\S]*✓ gw +guest[\s\S]*✓ gw +gateway/);
      expect(applied.code).toBe(0);
      before = await stand.state();
    }, 120_000);

    afterAll(() => stand.stop());

    /** Once the tools have settled; and nothing waits any more. */
    async function sameAsBefore(): Promise<void> {
      await until("the former state", async () => (await stand.state()) === before).catch(() => undefined);
      expect(await stand.state()).toBe(before);
      expect(await stand.waiting()).toBe("");
    }

    /** By the gateway's own process: it ended, and what it ran succeeded. */
    async function undone(): Promise<void> {
      await until("the undo", async () => (await stand.waiting()) === "");
      expect(await stand.onGate("cat /run/sixgate/undo/*.undone")).toMatch(/^(0\n)+$/);
    }

    test("a confirmed change stays, and nothing of it waits", async () => {
      expect(await stand.undos()).toEqual([]);
      expect(await stand.waiting()).toBe("");
      expect(await stand.onGate("find /etc /run -name '*.sixgate-new'")).toBe("");
      expect((await stand.apply(settled)).said).toContain("o changes");
      expect(await stand.state()).toBe(before);
    }, 60_000);

    /** What is to change in each layer, structure in both: openings alone have no dead-man. */
    const wishes = {
      network: [program, { hosts: 2 }],
      filter: [filterProgram, { admins: "10.10.10.0/24, 10.10.11.0/24" }],
    } as const;

    /** Half-way through a change something happens, and the device goes back before it answers. What sixgate said about it. */
    async function halfWay(layer: keyof typeof wishes, happens: () => Promise<unknown>): Promise<Ended> {
      const [at, wish] = wishes[layer];
      const { end } = await stand.applyUntil(at, wish);
      try {
        expect(await stand.state()).not.toBe(before);
        await happens();
        await undone();
        if (await stand.isWired()) await sameAsBefore();
        await stand.release();
        return await end;
      } finally {
        await stand.release();
        await stand.onDesk("ip link set mg0 up");
        await end;
      }
    }

    for (const layer of network === "networkd" ? (["network", "filter"] as const) : (["network"] as const)) {
      test(`the ${layer} goes back by itself when the client is killed half-way`, async () => {
        expect((await halfWay(layer, () => stand.kill())).code).not.toBe(0);
      }, 240_000);
    }

    test.runIf(network === "networkd")(
      "it goes back by itself when the cable is cut, and the client says so",
      async () => {
        const { code, said } = await halfWay("filter", () => stand.onDesk("ip link set mg0 down"));
        expect(said).toMatch(/E503 [\s\S]*it goes back by itself at the deadline/);
        expect(code).toBe(1);
      },
      240_000,
    );

    test.runIf(network === "networkd")(
      "it goes back by itself when no confirmation comes, and a late one is refused",
      async () => {
        const others = await stand.undos();
        const { code, said } = await halfWay("filter", () => Promise.resolve());
        expect(said).toMatch(/E51[24] /);
        expect(code).toBe(1);
        // Who came back has read what the undo left.
        expect(await stand.undos()).toEqual(others);
      },
      240_000,
    );

    test.runIf(network === "networkd")(
      "the filter goes back when it lets nobody in any more",
      async () => {
        const wish = { admins: "10.10.10.100/32" };
        const refused = await stand.apply(wish);
        expect([refused.code, refused.said]).toEqual([4, expect.stringContaining("E616 We came in from 10.10.10.9")]);
        const { code, said } = await stand.apply(wish, "--accept-lockout-risk", "--confirm-within", "60");
        expect(said).toContain("E503 No new connection");
        expect(code).toBe(1);
        await until("the former state", async () => (await stand.state()) === before);
        expect(await stand.waiting()).toBe("");
      },
      240_000,
    );

    test("what undos left behind goes with the next change", async () => {
      await stand.onGate("touch -d '4 hours ago' /run/sixgate/undo/*.watch || true");
      const applied = await stand.apply({ hosts: 2 });
      expect(applied.said).toContain("every device read back and confirmed");
      expect(await stand.undos()).toEqual([]);
      expect(await stand.waiting()).toBe("");
    }, 240_000);
  });
}
