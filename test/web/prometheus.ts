/** One metric family of an exposition: its kind, and its samples by name and labels as written. */
export type Family = {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: ReadonlyMap<string, number>;
};

const nameForm = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const labelForm = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
const sampleForm = new RegExp(`^(${nameForm})(\\{${labelForm}(?:,${labelForm})*,?\\})? (\\S+)$`);
const numberForm = /^(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]Inf|NaN)$/;

/**
 * Reads Prometheus' text format 0.0.4 as strictly as its own linter: HELP and TYPE once and before the samples, samples
 * of a family together, no sample twice, counters named _total and never negative, histograms cumulative with
 * le="+Inf" equal to their count. Throws an Error with the line that is wrong.
 */
export function parseMetrics(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("No line end at the end");
  const families = new Map<string, { type: Family["type"] | undefined; help: string; samples: Map<string, number> }>();
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const help = new RegExp(`^# HELP (${nameForm}) (.+)$`).exec(line);
    const type = new RegExp(`^# TYPE (${nameForm}) (counter|gauge|histogram)$`).exec(line);
    if (help?.[1] !== undefined) {
      if (families.has(help[1])) throw new Error(`Twice: ${line}`);
      current = help[1];
      families.set(current, { type: undefined, help: help[2] ?? "", samples: new Map() });
    } else if (type !== null) {
      const family = families.get(current);
      if (type[1] !== current || family === undefined || family.type !== undefined || family.samples.size > 0)
        throw new Error(`Not where it belongs: ${line}`);
      family.type = type[2] as Family["type"];
    } else if (line !== "") readSample(line, current, families.get(current));
  }
  const read = new Map<string, Family>();
  for (const [name, { type, help, samples }] of families) {
    if (type === undefined) throw new Error(`No TYPE: ${name}`);
    const family = { type, help, samples };
    checkFamily(name, family);
    read.set(name, family);
  }
  return read;
}

type Open = { readonly type: Family["type"] | undefined; readonly samples: Map<string, number> };

function readSample(line: string, current: string, family: Open | undefined): void {
  const [, name = "", labels = "", value = ""] = sampleForm.exec(line) ?? [];
  if (name === "" || !numberForm.test(value)) throw new Error(`Not a sample: ${line}`);
  const suffix = name.slice(current.length);
  const fits = family?.type === "histogram" ? ["_bucket", "_sum", "_count"].includes(suffix) : suffix === "";
  if (family?.type === undefined || !name.startsWith(current) || !fits) throw new Error(`Of no family: ${line}`);
  const keys = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="/g)].map(([, key]) => key);
  if (new Set(keys).size !== keys.length) throw new Error(`Label twice: ${line}`);
  if (family.samples.has(name + labels)) throw new Error(`Sample twice: ${line}`);
  family.samples.set(name + labels, Number(value.replace("Inf", "Infinity")));
}

function checkFamily(name: string, family: Family): void {
  if (family.type === "counter") {
    if (!name.endsWith("_total")) throw new Error(`Counter without _total: ${name}`);
    for (const value of family.samples.values()) if (!(value >= 0)) throw new Error(`Counter below 0: ${name}`);
  } else if (name.endsWith("_total")) throw new Error(`_total, but no counter: ${name}`);
  if (family.type !== "histogram") return;
  const buckets = [...family.samples].flatMap(([key, value]) => {
    const bound = /^\w+_bucket\{le="([^"]+)"\}$/.exec(key)?.[1];
    return bound === undefined ? [] : [{ bound: Number(bound.replace("Inf", "Infinity")), value }];
  });
  for (const [i, { bound, value }] of buckets.entries()) {
    const before = buckets[i - 1];
    if (before !== undefined && (bound <= before.bound || value < before.value))
      throw new Error(`Not cumulative: ${name}`);
  }
  const last = buckets.at(-1);
  if (last?.bound !== Infinity || last.value !== family.samples.get(`${name}_count`))
    throw new Error(`No +Inf: ${name}`);
  if (!family.samples.has(`${name}_sum`)) throw new Error(`No sum: ${name}`);
}
