import { expect, test } from "vitest";
import { address } from "../../net/address.ts";
import type { Ran, Shell } from "../../runtime/shell.ts";
import { nftAt } from "./api.ts";

const gone = "conntrack v1.4.7 (conntrack-tools): Operation failed: such conntrack doesn't exist\n";
const flow = { protocol: "udp", from: address("2001:db8::1"), to: address("2001:db8::2"), fromPort: 1, toPort: 2 };

/** A shell whose programs end one after the other as told, the last way for ever. */
function shellThat(...ends: readonly Partial<Ran>[]): { readonly shell: Shell; readonly inputs: string[] } {
  const inputs: string[] = [];
  const refuse = (): never => {
    throw new Error("not asked for here");
  };
  const shell: Shell = {
    name: "test",
    run(_, options) {
      const end = ends[Math.min(inputs.length, ends.length - 1)];
      inputs.push(options?.input ?? "");
      return Promise.resolve({ code: 0, stdout: "", stderr: "", ...end });
    },
    read: refuse,
    list: refuse,
    write: refuse,
    remove: refuse,
  };
  return { shell, inputs };
}

test("cut sends all again where a flow ended while conntrack looked at it", async () => {
  const { shell, inputs } = shellThat({ code: 1, stderr: gone }, { code: 1, stderr: gone }, {});
  await nftAt(shell).cut([flow]);
  expect(inputs).toHaveLength(3);
  expect(new Set(inputs).size).toBe(1);
});

test("cut rejects where conntrack fails otherwise, and where flows do not stop to end", async () => {
  const other = shellThat({ code: 1, stderr: "Operation not permitted" });
  await expect(nftAt(other.shell).cut([flow])).rejects.toThrow("not permitted");
  expect(other.inputs).toHaveLength(1);
  const endless = shellThat({ code: 1, stderr: gone });
  await expect(nftAt(endless.shell).cut([flow])).rejects.toThrow("such conntrack");
});
