import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";
import { isName } from "../base/name.ts";
import { quote } from "../base/quote.ts";

/** Keys and list positions from the top of the file. */
export type Path = readonly (string | number)[];

/** Where things stand in the file that was read. */
export type Places = {
  /** `fleet.yaml:8:23 hosts.vm2.docker`: of the value when it is a scalar, else of its key; of the parent when it isn't there. */
  at(path: Path): string;
  /** The same, always of the key. */
  atKey(path: Path): string;
  /** The value as it is written (`0x10`, where the number is 16); undefined unless it is a scalar. */
  source(path: Path): string | undefined;
};

type Found = { readonly key?: Node; readonly value?: Node };

export function placesIn(file: string, doc: Document, lines: LineCounter): Places {
  const index = new WeakMap<YAMLMap, Map<string, Pair>>();

  function pairOf(map: YAMLMap, key: string): Pair | undefined {
    const known = index.get(map) ?? new Map(map.items.map((pair) => [keyText(pair), pair]));
    index.set(map, known);
    return known.get(key);
  }
  function step(node: Node | undefined, part: string | number): Found {
    const inside = isAlias(node) ? node.resolve(doc) : node;
    if (isMap(inside)) {
      const pair = pairOf(inside, String(part));
      return { ...asNode("key", pair?.key), ...asNode("value", pair?.value) };
    }
    return isSeq(inside) ? asNode("value", inside.items[Number(part)]) : {};
  }
  function find(path: Path): { readonly found: Found; readonly whole: boolean } {
    let found: Found = asNode("value", doc.contents);
    for (const part of path) {
      const next = step(found.value, part);
      if (next.key === undefined && next.value === undefined) return { found, whole: false };
      found = next;
    }
    return { found, whole: true };
  }
  function place(node: Node | undefined, path: Path): string {
    const { line, col } = lines.linePos(node?.range?.[0] ?? 0);
    const text = pathText(path);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}${text === "" ? "" : ` ${text}`}`;
  }
  return {
    at(path) {
      const { found, whole } = find(path);
      const scalar = whole && (isScalar(found.value) || isAlias(found.value));
      return place(scalar ? found.value : (found.key ?? found.value), path);
    },
    atKey(path) {
      const { found } = find(path);
      return place(found.key ?? found.value, path);
    },
    source(path) {
      const { found, whole } = find(path);
      const node = isAlias(found.value) ? found.value.resolve(doc) : found.value;
      return whole && isScalar(node) ? (node.source ?? String(node.value)) : undefined;
    },
  };
}

/** `hosts.vm2.docker`, `openings[0].ports[1]`; a key that is no plain word stands in quotes. */
export function pathText(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += `${text === "" ? "" : "."}${isName(part) || /^[A-Za-z0-9_-]+$/.test(part) ? part : quote(part)}`;
  }
  return text;
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function asNode(name: "key" | "value", found: unknown): Found {
  return found === undefined || found === null ? {} : { [name]: found as Node };
}
