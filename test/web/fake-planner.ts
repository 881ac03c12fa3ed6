import { createHash } from "node:crypto";
import { Failure } from "../../src/base/failure.ts";
import type { ApplyProgress, ApplyWish, Planner } from "../../src/web/planner/planner.ts";
import type { MadePlan, MatrixView, ReviewView } from "../../src/web/planner/schema.ts";

/** A planner over a fleet that is in memory: a plan's changes go when it is applied, device by device. */
export class FakePlanner implements Planner {
  mayApply = true;
  readonly command = "sixgate apply -f fleet.yaml";
  readonly applied: string[] = [];
  /** Given instead of an apply's success, for the second device. */
  fails: Error | undefined;
  stops: MadePlan["stops"] = [];
  review_: ReviewView = { file: "fleet.yaml", text: "name: test\n", findings: [], tests: [] };
  matrix_: MatrixView = { rules: "planned", why: "no gateway here", sources: ["internet"], rows: [] };
  devices: MadePlan["devices"] = [deviceOf("fw", "gateway"), deviceOf("vm1", "guest")];
  readonly #now: () => number;
  constructor(now: () => number = () => Date.now()) {
    this.#now = now;
  }

  async review(): Promise<ReviewView> {
    return this.review_;
  }

  async matrix(): Promise<MatrixView> {
    return this.matrix_;
  }

  async plan(): Promise<MadePlan> {
    const { devices, stops } = this;
    return {
      hash: createHash("sha256").update(JSON.stringify(devices)).digest("hex"),
      made: this.#now(),
      add: devices.reduce((all, each) => all + each.changes.length, 0),
      change: 0,
      remove: 0,
      devices,
      notes: [],
      stops,
    };
  }

  async apply({ hash, within }: ApplyWish, progress: ApplyProgress): Promise<void> {
    if ((await this.plan()).hash !== hash) throw new Failure("E986", "fw", "Changed meanwhile", "plan anew");
    const todo = this.devices;
    progress.begins(todo.map(({ device, layer, count }) => ({ device, layer, changes: count })));
    for (const [at, { device }] of todo.entries()) {
      progress.applies(at, this.#now() + within * 1000);
      if (at === 1 && this.fails !== undefined) throw this.fails;
      await progress.agrees(at);
      this.applied.push(device);
      progress.confirmed(at);
    }
    this.devices = [];
  }
}

function deviceOf(device: string, layer: string): MadePlan["devices"][number] {
  const changes = [{ kind: "create", lines: [`+ address ${device}`] }] as const;
  return { device, layer, driver: "nftables", changes, count: 1, notes: [] };
}
