import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakePve, startPve } from "../../test/fakes/pve/index.ts";
import { seconds } from "../base/time.ts";
import type { Shell } from "../runtime/shell.ts";
import { refuseSecond } from "./earlier-undo.ts";
import { armWatchdog, undoFolder } from "./watchdog.ts";

// A machine whose /run/sixgate is a folder of the test.
let pve: FakePve;
let shell: Shell;
beforeEach(async () => {
  pve = await startPve();
  shell = pve.way(undefined, true).shell ?? fail();
});
afterEach(() => pve.stop());

function fail(): never {
  throw new Error("no shell");
}

const names = (): Promise<readonly string[]> => shell.list(undoFolder);

test("refuseSecond has nothing to say where no undo ever was, nor of those of another kind", async () => {
  await refuseSecond(shell, "bridges-");
  const other = await armWatchdog(shell, { id: "nftables-1", undo: "true", after: seconds(600) });
  await refuseSecond(shell, "bridges-");
  await other.confirm();
});

test("refuseSecond refuses with E554 while an undo waits, and no more once it was confirmed or ran", async () => {
  const first = await armWatchdog(shell, { id: "bridges-1", undo: "true", after: seconds(600) });
  await expect(refuseSecond(shell, "bridges-")).rejects.toThrow(
    "E554 Another change waits for its confirmation on the device (bridges-1)",
  );
  await first.confirm();
  await refuseSecond(shell, "bridges-");
  const second = await armWatchdog(shell, { id: "bridges-2", undo: "true", after: seconds(600) });
  await second.rollback();
  await refuseSecond(shell, "bridges-");
});

test("refuseSecond removes what an arming that broke off left behind, at each of its steps", async () => {
  const armed = await armWatchdog(shell, { id: "bridges-1", undo: "true", after: seconds(600) });
  const watch = (await shell.read(`${undoFolder}/bridges-1.watch`)) ?? "";
  await armed.confirm();
  await shell.write(`${undoFolder}/bridges-2.watch`, watch, 0o700);
  await refuseSecond(shell, "bridges-");
  expect(await names()).toEqual([]);
  await shell.write(`${undoFolder}/bridges-6.watch`, watch, 0o700);
  await shell.write(`${undoFolder}/bridges-6.unarmed`, "echo never", 0o700);
  await refuseSecond(shell, "bridges-");
  expect(await names()).toEqual([]);
  await shell.write(`${undoFolder}/bridges-3.watch`, watch, 0o700);
  await shell.write(`${undoFolder}/bridges-3.sh`, "echo never", 0o700);
  await refuseSecond(shell, "bridges-");
  expect(await names()).toEqual([]);
});

test("refuseSecond takes an undo for waiting that it can't ask, or that runs", async () => {
  await shell.write(`${undoFolder}/bridges-4.watch`, "exit 64\n", 0o700);
  await shell.write(`${undoFolder}/bridges-4.sh`, "true", 0o700);
  await shell.write(`${undoFolder}/bridges-5.running`, "true", 0o700);
  await expect(refuseSecond(shell, "bridges-")).rejects.toThrow(/E554.*bridges-4, bridges-5/);
});
