import type { ContainerReport } from "../openings/container-report.ts";

/** The containers of a host, found by id and by name, with who shares whose networks. */
export class Roster {
  /** By id; and by name, where that is nobody's id. */
  readonly #found = new Map<string, ContainerReport>();
  readonly #byName = new Map<string, Set<string>>();
  readonly #sharers = new Map<string, Set<string>>();

  get directory(): ReadonlyMap<string, ContainerReport> {
    return this.#found;
  }

  replace(before: ContainerReport | undefined, after: ContainerReport | undefined): void {
    if (before !== undefined) {
      this.#found.delete(before.id);
      remove(this.#byName, before.name, before.id);
      if (before.sharesWith !== undefined) remove(this.#sharers, before.sharesWith, before.id);
    }
    if (after !== undefined) {
      this.#found.set(after.id, after);
      insert(this.#byName, after.name, after.id);
      if (after.sharesWith !== undefined) insert(this.#sharers, after.sharesWith, after.id);
    }
    if (before !== undefined && before.name !== after?.name) this.#settleName(before.name);
    if (after !== undefined) this.#settleName(after.name);
    if (before !== undefined && after === undefined) this.#settleName(before.id);
  }

  /** Everybody whose openings lie at addresses of that container, over any number of steps. */
  sharersOf(...reports: readonly (ContainerReport | undefined)[]): ReadonlySet<string> {
    const found = new Set<string>();
    const open = reports.flatMap((each) => (each === undefined ? [] : [each.id, each.name]));
    for (let text = open.pop(); text !== undefined; text = open.pop()) {
      for (const id of this.#sharers.get(text) ?? []) {
        if (found.has(id)) continue;
        found.add(id);
        const name = this.#found.get(id)?.name;
        open.push(id, ...(name === undefined ? [] : [name]));
      }
    }
    return found;
  }

  #settleName(name: string): void {
    const there = this.#found.get(name);
    if (there?.id === name) return;
    const [first] = this.#byName.get(name) ?? [];
    const report = first === undefined ? undefined : this.#found.get(first);
    if (report === undefined) this.#found.delete(name);
    else this.#found.set(name, report);
  }
}

function insert(index: Map<string, Set<string>>, key: string, id: string): void {
  const there = index.get(key);
  if (there === undefined) index.set(key, new Set([id]));
  else there.add(id);
}

function remove(index: Map<string, Set<string>>, key: string, id: string): void {
  const there = index.get(key);
  there?.delete(id);
  if (there?.size === 0) index.delete(key);
}
