import type { Elements, FilterRule, FilterRules, Hook, Key, Place, Stage } from "../../proof/filter-rules.ts";
import { type Listed, readElements } from "./reading/elements.ts";
import { isJson, type Json, only, textIn, wordsOf } from "./reading/json.ts";
import { ruleOf, verdictOf } from "./reading/statement.ts";
import { ruleText } from "./reading/text.ts";
import { tiedHooks } from "./reading/ties.ts";

/** What decides on the same machine and is in no listing of nft's. */
export type Surroundings = {
  /** Rules of ip6tables' own kind, in tables that nft does not list. */
  readonly legacy: boolean;
  /** Bridges of the machine: frames that they carry pass the tables of family bridge. */
  readonly bridges: readonly string[];
  /** Interfaces of a chain on ingress or egress, by the chain's full name: nft 1.0 leaves them out of its JSON. */
  readonly devices: ReadonlyMap<string, readonly string[]>;
};

export const nothingElse: Surroundings = { legacy: false, bridges: [], devices: new Map() };

/** Families whose chains see IPv6 that is routed. */
const families: ReadonlySet<string> = new Set(["inet", "ip6", "netdev"]);
const stages: ReadonlySet<string> = new Set<Stage>([
  "ingress",
  "prerouting",
  "input",
  "forward",
  "postrouting",
  "egress",
]);

/**
 * Reads `nft --json --numeric list ruleset` (libnftables-json(5), schema 1; nft 1.0.6 to 1.1): every table, ours and
 * others. What can't decide about IPv6 is told apart in `aside`; what isn't understood is opaque, part by part. Throws
 * an Error where the listing itself has no such form.
 */
export function parseRules(text: string, around: Surroundings = nothingElse): FilterRules {
  const listing: unknown = JSON.parse(text);
  const entries = isJson(listing) && Array.isArray(listing["nftables"]) ? listing["nftables"] : undefined;
  if (entries === undefined) throw new Error("nft's listing has no list of objects");
  return rulesIn(entries, around);
}

/** As `parseRules`, of the objects of a listing. */
export function rulesIn(entries: readonly unknown[], around: Surroundings): FilterRules {
  return new Reading(entries, around).rules();
}

class Reading {
  readonly #entries: readonly unknown[];
  readonly #around: Surroundings;
  readonly #chains = new Map<string, { readonly name: string; readonly rules: FilterRule[] }>();
  readonly #sets = new Map<string, Elements>();
  readonly #hooks: Hook[] = [];
  readonly #aside: string[] = [];
  readonly #asleep = new Set<string>();
  readonly #inverse = new Set<string>();
  readonly #counters = new Map<string, NonNullable<Place["counter"]>>();
  #bridged = false;

  constructor(entries: readonly unknown[], around: Surroundings) {
    this.#entries = entries;
    this.#around = around;
  }

  rules(): FilterRules {
    this.#each(["table"], (_, table) => this.#table(table));
    this.#each(["counter", "limit", "quota", "flowtable"], (kind, body) => this.#object(kind, body));
    this.#each(["chain"], (_, chain) => this.#chain(chain));
    this.#hooks.sort((a, b) => a.priority - b.priority);
    const live = this.#liveSets();
    this.#each(["set", "map"], (kind, body) => this.#set(kind, body, live));
    this.#each(["rule"], (_, rule) => this.#rule(rule));
    this.#doubts();
    return { hooks: this.#hooks, chains: this.#chains, sets: this.#sets, aside: this.#aside };
  }

  /** Objects of these kinds, in tables that can decide. */
  #each(kinds: readonly string[], work: (kind: string, body: Json) => void): void {
    for (const entry of this.#entries) {
      const [kind, body] = only(entry) ?? ["", undefined];
      if (!kinds.includes(kind) || !isJson(body)) continue;
      if (kind === "table" || this.#counts(body)) work(kind, body);
    }
  }

  #counts(body: Json): boolean {
    const family = textIn(body, "family");
    return families.has(family) && !this.#asleep.has(`${family} ${textIn(body, "table")}`);
  }

  #table(table: Json): void {
    const [family, name] = [textIn(table, "family"), textIn(table, "name")];
    // nft 1.0.6 writes only the first letter.
    if (wordsOf(table["flags"]).some((flag) => flag === "dormant" || flag === "d")) {
      this.#asleep.add(`${family} ${name}`);
      this.#aside.push(`table ${family} ${name}: dormant, it filters nothing`);
    } else if (family === "bridge") {
      this.#bridged = this.#around.bridges.length > 0;
      if (!this.#bridged) this.#aside.push(`table bridge ${name}: the machine has no bridge`);
    } else if (!families.has(family)) this.#aside.push(`table ${family} ${name}: not for IPv6`);
  }

  #object(kind: string, body: Json): void {
    const name = fullName(body, textIn(body, "name"));
    if (kind === "flowtable") this.#aside.push(`flowtable ${name}: for flows that are established`);
    if (kind === "counter") this.#counters.set(name, counterIn(body) ?? { packets: 0, bytes: 0 });
    else if (body["inv"] === true) this.#inverse.add(`${kind} ${name}`);
  }

  #chain(chain: Json): void {
    const name = fullName(chain, textIn(chain, "name"));
    this.#chains.set(name, { name, rules: [] });
    const { hook, type, prio, policy } = chain;
    if (typeof hook !== "string") return;
    if (!stages.has(hook)) {
      this.#aside.push(`chain ${name}: hook ${hook}, for what the gateway itself sends`);
      return;
    }
    if (typeof prio !== "number") throw new Error(`nft's listing has no priority for chain ${name}`);
    const listed = chain["dev"] === undefined ? this.#around.devices.get(name) : wordsOf(chain["dev"]);
    const isNat = type === "nat";
    this.#hooks.push({
      stage: hook as Stage,
      // All chains of kind nat are asked where address translation is, in the order of their own priorities.
      priority: isNat ? (hook === "prerouting" ? -100 : 100) + prio / 1e6 : prio,
      asks: isNat ? "flows" : "packets",
      ...(listed === undefined ? {} : { devices: listed }),
      chain: name,
      policy: policy === "drop" ? "drop" : "accept",
      place: { ...placeIn(chain, textIn(chain, "name")), text: `policy ${policy === "drop" ? "drop" : "accept"}` },
    });
  }

  /** Sets that rules put elements into as packets pass. */
  #liveSets(): ReadonlySet<string> {
    const live = new Set<string>();
    this.#each(["rule"], (_, rule) => {
      for (const statement of statementsIn(rule)) {
        const [kind, body] = only(statement) ?? ["", undefined];
        if ((kind !== "set" && kind !== "map") || !isJson(body)) continue;
        live.add(fullName(rule, String(body[kind]).replace(/^@/, "")));
      }
    });
    return live;
  }

  #set(kind: string, body: Json, live: ReadonlySet<string>): void {
    const name = fullName(body, textIn(body, "name"));
    // A map of values is only asked for what a rule sets, which is not followed.
    if (kind === "map" && body["map"] !== "verdict") return;
    const { type, elem } = body;
    const width = Array.isArray(type) ? type.length : widthOfElements(elem);
    const types = Array.from({ length: width }, (_, column) => {
      const one: unknown = Array.isArray(type) ? type[column] : type;
      return typeof one === "string" ? one : undefined;
    });
    const elements = elem === undefined ? [] : Array.isArray(elem) ? elem : [elem];
    this.#addSet({ name, types, elements, isLive: live.has(name) }, kind === "map", body);
  }

  #addSet(listed: Omit<Listed, "verdict">, isMap: boolean, around: Json): void {
    const full = { fullName: (chain: string) => fullName(around, chain) };
    const verdict = isMap ? { verdict: (value: unknown) => verdictOf(value, full) } : {};
    this.#sets.set(listed.name, readElements({ ...listed, ...verdict }));
  }

  #rule(rule: Json): void {
    const chain = fullName(rule, textIn(rule, "chain"));
    const statements = statementsIn(rule);
    const place = this.#placeOf(rule, statements);
    let sets = 0;
    const hook = this.#hooks.find((each) => each.chain === chain);
    const around = {
      fullName: (name: string) => fullName(rule, name),
      addSet: (elements: readonly unknown[], isMap: boolean, key: Key) => {
        const name = `${chain} ${place.handle ?? this.#sets.size} ${sets++}`;
        const width = widthOfElements(
          isMap ? elements.map((each) => (Array.isArray(each) ? each[0] : each)) : elements,
        );
        // A set without a name has no types: states of tracking are words there, as names of interfaces are.
        const types = Array.from({ length: width }, (_, at) => (key[at]?.kind === "state" ? "ct_state" : undefined));
        this.#addSet({ name, types, elements, isLive: false }, isMap, rule);
        return name;
      },
      isInverse: (kind: string, name: string) => this.#inverse.has(`${kind} ${fullName(rule, name)}`),
      sourceMatters: hook === undefined || this.#hooks.indexOf(hook) < this.#lastBehind(hook),
    };
    this.#chains.get(chain)?.rules.push(ruleOf(statements, around, place));
  }

  /** The number of the last hook that a packet meets after this one; -1 when it is the last. */
  #lastBehind(hook: Hook): number {
    if (hook.stage !== "postrouting" && hook.stage !== "input") return this.#hooks.length;
    return this.#hooks.findLastIndex(
      (each) => each.stage === "egress" || (each.stage === hook.stage && each.priority > hook.priority),
    );
  }

  #placeOf(rule: Json, statements: readonly unknown[]): Place {
    const counter = statements.map((each) => this.#counterOf(rule, each)).find((each) => each !== undefined);
    const { comment, handle } = rule;
    return {
      ...placeIn(rule, textIn(rule, "chain")),
      text: ruleText(statements),
      ...(typeof handle === "number" ? { handle } : {}),
      ...(typeof comment === "string" ? { comment } : {}),
      ...(counter === undefined ? {} : { counter }),
      ours: typeof comment === "string" && /^sixgate [0-9a-f]{8}$/.test(comment),
    };
  }

  #counterOf(rule: Json, statement: unknown): Place["counter"] | undefined {
    const [kind, body] = only(statement) ?? ["", undefined];
    if (kind !== "counter") return undefined;
    return isJson(body) ? counterIn(body) : this.#counters.get(fullName(rule, String(body)));
  }

  /** What may take packets away and can't be read: whatever gets through here may end there. */
  #doubts(): void {
    if (this.#around.legacy) this.#doubt("ip6tables", "rules of ip6tables-legacy, which nft does not list");
    for (const [one, other] of tiedHooks(this.#hooks, this.#chains)) {
      this.#tie(one, other);
    }
    if (this.#bridged) this.#doubt("bridge", `tables of family bridge, on ${this.#around.bridges.join(", ")}`);
  }

  /** Which of two comes first is not known, so nothing is of a packet that gets to them. */
  #tie(one: Hook, other: Hook): void {
    const why = `${one.chain} and ${other.chain} have one priority, and one sets what the other asks for`;
    const place = { table: one.place.table, chain: one.place.chain, text: why, ours: false };
    const name = `tie ${one.chain} ${other.chain}`;
    this.#chains.set(name, { name, rules: [{ steps: [{ kind: "rewrite", why }], place }] });
    const hook: Hook = {
      stage: one.stage,
      priority: one.priority,
      asks: "packets",
      chain: name,
      policy: "accept",
      place,
    };
    this.#hooks.splice(this.#hooks.indexOf(one), 0, hook);
  }

  #doubt(table: string, why: string): void {
    const place = { table, chain: "", text: why, ours: false };
    const rules = [{ steps: [{ kind: "opaque" as const, why }, { kind: "drop" as const }], place }];
    this.#chains.set(table, { name: table, rules });
    for (const stage of ["prerouting", "input", "forward", "postrouting"] as const) {
      this.#hooks.push({
        stage,
        priority: Number.MAX_SAFE_INTEGER,
        asks: "packets",
        chain: table,
        policy: "accept",
        place,
      });
    }
  }
}

function fullName(body: Json, name: string): string {
  return `${textIn(body, "family")} ${textIn(body, "table")} ${name}`;
}

function placeIn(body: Json, chain: string): Pick<Place, "table" | "chain" | "ours"> {
  return { table: `${textIn(body, "family")} ${textIn(body, "table")}`, chain, ours: false };
}

function statementsIn(rule: Json): readonly unknown[] {
  return Array.isArray(rule["expr"]) ? rule["expr"] : [];
}

function counterIn(body: Json): NonNullable<Place["counter"]> | undefined {
  const { packets, bytes } = body;
  return typeof packets === "number" && typeof bytes === "number" ? { packets, bytes } : undefined;
}

/** How many parts an element has, by the first one. */
function widthOfElements(elements: unknown): number {
  const first: unknown = Array.isArray(elements) ? elements.find((each) => each !== "*") : elements;
  const value = isJson(first) && isJson(first["elem"]) ? first["elem"]["val"] : Array.isArray(first) ? first[0] : first;
  const inner = isJson(value) && isJson(value["elem"]) ? value["elem"]["val"] : value;
  return isJson(inner) && Array.isArray(inner["concat"]) ? inner["concat"].length : 1;
}
