import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { ContainerReport } from "../openings/container-report.ts";
import type { Refusal } from "../openings/refusal.ts";
import type { RefusalView } from "./controller.ts";

/** Kept of one container: a label that asks for a thousand things is not refused a thousand times. */
const mostOfContainer = 64;

/** What is refused now, and since when. */
export class RefusalRegister {
  readonly #byHost = new Map<HostName, Map<string, ReadonlyMap<string, RefusalView>>>();
  readonly #isNew: (refusal: RefusalView) => void;
  #size = 0;

  constructor(isNew: (refusal: RefusalView) => void) {
    this.#isNew = isNew;
  }

  get size(): number {
    return this.#size;
  }

  hosts(): Iterable<HostName> {
    return this.#byHost.keys();
  }

  /** All that the container is refused now. */
  set(host: HostName, report: ContainerReport, refusals: readonly Refusal[], now: Instant): void {
    const containers = this.#byHost.get(host) ?? new Map<string, ReadonlyMap<string, RefusalView>>();
    const before = containers.get(report.id);
    if (before === undefined && refusals.length === 0) return;
    const after = new Map<string, RefusalView>();
    for (const refusal of refusals.slice(0, mostOfContainer)) {
      const key = [refusal.to ?? "", refusal.at, refusal.text, refusal.code].join("\n");
      const { at, text, code, why, fix, to } = refusal;
      const since = before?.get(key)?.since ?? now;
      const container = { id: report.id, name: report.name };
      after.set(key, { host, container, at, text, code, why, fix, since, ...(to === undefined ? {} : { to }) });
    }
    this.#size += after.size - (before?.size ?? 0);
    if (after.size > 0) containers.set(report.id, after);
    else containers.delete(report.id);
    if (containers.size > 0) this.#byHost.set(host, containers);
    else this.#byHost.delete(host);
    for (const [key, view] of after) if (before?.has(key) !== true) this.#isNew(view);
  }

  ofHost(host: HostName): readonly RefusalView[] {
    return [...(this.#byHost.get(host)?.values() ?? [])].flatMap((each) => [...each.values()]);
  }
}
