import type { FilterChain, Hook, Key, Step } from "../../../proof/filter-rules.ts";

type Chains = ReadonlyMap<string, Pick<FilterChain, "rules">>;

/**
 * Hooks of one stage and one priority of which one sets what another asks for (a mark, whether a packet is tracked): the
 * kernel asks the one that was made last first, and a listing does not say when a chain was made.
 */
export function tiedHooks(hooks: readonly Hook[], chains: Chains): readonly (readonly [Hook, Hook])[] {
  const found: (readonly [Hook, Hook])[] = [];
  for (const [at, one] of hooks.entries()) {
    for (const other of hooks.slice(at + 1)) {
      if (one.stage !== other.stage || one.priority !== other.priority) continue;
      const [a, b] = [usesOf(one.chain, chains), usesOf(other.chain, chains)];
      const meets =
        [...a.sets].some((each) => b.asks.has(each) || b.sets.has(each)) ||
        [...b.sets].some((each) => a.asks.has(each));
      if (meets) found.push([one, other]);
    }
  }
  return found;
}

type Uses = { readonly sets: Set<string>; readonly asks: Set<string> };

function usesOf(
  chain: string,
  chains: Chains,
  uses: Uses = { sets: new Set(), asks: new Set() },
  seen = new Set<string>(),
): Uses {
  if (seen.has(chain)) return uses;
  seen.add(chain);
  for (const rule of chains.get(chain)?.rules ?? []) {
    for (const step of rule.steps) {
      addStep(step, uses);
      if (step.kind === "jump" || step.kind === "goto") usesOf(step.chain, chains, uses, seen);
      // A map may lead to any chain of its table.
      if (step.kind === "branch") for (const each of siblings(chain, chains)) usesOf(each, chains, uses, seen);
    }
  }
  return uses;
}

function siblings(chain: string, chains: Chains): readonly string[] {
  const table = chain.split(" ").slice(0, 2).join(" ");
  return [...chains.keys()].filter((each) => each.startsWith(`${table} `));
}

function addStep(step: Step, { sets, asks }: Uses): void {
  if (step.kind === "assign") {
    sets.add(step.field);
    if (typeof step.value === "object") asks.add(step.value.of);
  } else if (step.kind === "untrack") sets.add("untracked");
  else if (step.kind === "branch") addKey(step.key, asks);
  else addMatch(step, asks);
}

function addMatch(step: Step, asks: Set<string>): void {
  if (step.kind === "field" || step.kind === "masked") asks.add(step.field);
  else if (step.kind === "state" || step.kind === "tracked") asks.add("untracked");
  else if (step.kind === "elements") addKey(step.key, asks);
  else if (step.kind === "not") addMatch(step.of, asks);
  else if (step.kind === "every" || step.kind === "some") for (const each of step.of) addMatch(each, asks);
}

function addKey(key: Key, asks: Set<string>): void {
  for (const part of key) {
    if (part.kind === "field") asks.add(part.field);
    if (part.kind === "state") asks.add("untracked");
  }
}
