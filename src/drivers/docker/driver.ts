import { Failure } from "../../base/failure.ts";
import type { Seconds } from "../../base/time.ts";
import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import type { EngineDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import { shellOf } from "../../runtime/way.ts";
import type { Driver, DriverKind, Observed, Pending } from "../driver.ts";
import { refuseSecond } from "../earlier-undo.ts";
import { goBack } from "../go-back.ts";
import { armWatchdog } from "../watchdog.ts";
import { engineApi } from "./api.ts";
import { applyChanges, touchedBy } from "./apply.ts";
import { consequences, normalize, render } from "./convert.ts";
import { audit } from "./limits.ts";
import { type Reading, readEngine } from "./reading.ts";
import { fingerprintOf } from "./revision.ts";
import { undoScript } from "./undo.ts";

/** Docker engines 20.10 to 29, through the `docker` program, daemon.json, and a drop-in of docker.service. */
export const docker: DriverKind<EngineDesired> = {
  name: "docker",
  layer: "engine",
  undo: "watchdog",
  audit,
  normalize,
  render,
  consequences,
  at: (way, desired) => dockerAt(shellOf(way), desired),
};

function dockerAt(shell: Shell, desired: EngineDesired): Driver {
  const api = engineApi(shell);
  const at = `${desired.device} docker`;
  const read = (signal?: AbortSignal): Promise<Reading> => readEngine(shell, api, desired, signal);

  async function observe(signal?: AbortSignal): Promise<Observed> {
    const { items } = await read(signal);
    return { items, revision: fingerprintOf(items) };
  }
  async function apply(set: ChangeSet, confirmWithin: Seconds, signal?: AbortSignal): Promise<Pending> {
    await refuseSecond(shell, "docker-", signal);
    const before = await read(signal);
    const revision = fingerprintOf(before.items);
    if (revision !== set.base) {
      throw new Failure("E510", at, "The engine is not as it was when the plan was made", "make a new plan");
    }
    const touched = await touchedBy(shell, api, desired, set, before, signal);
    const id = `docker-${revision.slice(0, 12)}-${fingerprintOf(set.changes.map((each) => ({ key: keyOf(each), value: each.kind, lane: "structure" }))).slice(0, 8)}`;
    const pending = await armWatchdog(shell, {
      id: `${id}-${process.hrtime.bigint().toString(36)}`,
      undo: undoScript(before, touched),
      after: confirmWithin,
    });
    try {
      await applyChanges({ shell, api, desired, set, before, touched }, signal);
    } catch (cause) {
      return await goBack(at, pending, cause);
    }
    return pending;
  }
  return { observe, apply };
}
