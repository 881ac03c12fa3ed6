import { expect, test } from "vitest";
import { Failure } from "../base/failure.ts";
import type { Pending } from "./driver.ts";
import { goBack } from "./go-back.ts";

const cause = new Failure("E512", "vm1", "Not as planned", "look at the log");

function pendingThat(rollback: () => Promise<void>): Pending {
  return { confirm: () => Promise.reject(new Error("never asked for")), rollback };
}

test("goBack rejects with the cause once the device is back", async () => {
  let asked = 0;
  const pending = pendingThat(() => {
    asked++;
    return Promise.resolve();
  });
  await expect(goBack("vm1", pending, cause)).rejects.toBe(cause);
  expect(asked).toBe(1);
});

test("goBack says that the undo failed, and why it was asked for", async () => {
  const pending = pendingThat(() => Promise.reject(new Failure("E515", "vm1", "Undo ended with 1", "look")));
  await expect(goBack("vm1", pending, cause)).rejects.toMatchObject({
    cause,
    diagnostic: { code: "E515", at: "vm1", text: expect.stringMatching(/Not as planned.*and then.*Undo ended with 1/) },
  });
});

test("goBack leaves it to the dead-man where the device can't be asked", async () => {
  const unreached = new Failure("E503", "vm1", "Not reached", "try ssh");
  const late = new DOMException("The operation was aborted due to timeout", "TimeoutError");
  for (const second of [unreached, late]) {
    await expect(
      goBack(
        "vm1",
        pendingThat(() => Promise.reject(second)),
        cause,
      ),
    ).rejects.toMatchObject({
      diagnostic: { code: "E503", fix: expect.stringContaining("by itself at the deadline") },
    });
  }
});
