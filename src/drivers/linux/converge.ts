import type { Change } from "../../change/change-set.ts";
import { keyOf } from "../../change/change-set.ts";
import type { Item } from "../../change/item.ts";
import { quoteWord } from "../../runtime/shell-ssh.ts";
import { textOf } from "./guest-items.ts";
import { procPath } from "./sysctl.ts";

/** The change that takes this one back. */
export function inverse(change: Change): Change {
  switch (change.kind) {
    case "create":
      return { kind: "delete", before: change.after };
    case "delete":
      return { kind: "create", after: change.before };
    case "update":
      return { kind: "update", before: change.after, after: change.before };
  }
}

type Order = { readonly rank: number; readonly argv: readonly string[] };

/**
 * Programs that bring the kernel's addresses, routes and proxies from `before` to `after` without touching anything
 * else: no link goes down. In an order that never cuts: first what is new, addresses before routes; then what goes.
 */
export function liveCommands(changes: readonly Change[]): readonly (readonly string[])[] {
  const orders = changes.flatMap((change) => [
    ...(change.kind === "delete" ? [] : made(change.after)),
    ...(change.kind === "create" ? [] : gone(change)),
  ]);
  return orders.toSorted((a, b) => a.rank - b.rank).map(({ argv }) => argv);
}

function made({ key, value }: Item): readonly Order[] {
  const [kind, ...words] = key.split(" ");
  const [first = "", second = ""] = words;
  if (kind === "address") return [{ rank: 1, argv: ["ip", "address", "replace", second, "dev", first] }];
  if (kind === "route")
    return routeWords(textOf(value))
      .slice(0, 1)
      .map((words) => ({ rank: 2, argv: ["ip", family(first), "route", "replace", ...routeArguments(first, words)] }));
  if (kind === "proxy")
    return [{ rank: 3, argv: ["ip", "-6", "neigh", "replace", "proxy", first, "dev", deviceOf(value)] }];
  return [];
}

/**
 * An update of a route removes the one it was: `replace` has taken its place, unless a tool made the new one beside it.
 * Where there were several, only those that a router advertisement brought: the others may be somebody's.
 */
function gone(change: Exclude<Change, { kind: "create" }>): readonly Order[] {
  const { key, value } = change.before;
  const [kind, first = "", second = ""] = key.split(" ");
  const replaced = change.kind === "update";
  if (kind === "address" && !replaced) return [{ rank: 6, argv: ["ip", "address", "del", second, "dev", first] }];
  if (kind === "proxy" && !(replaced && deviceOf(value) === deviceOf(change.after.value))) {
    return [{ rank: 4, argv: ["ip", "-6", "neigh", "del", "proxy", first, "dev", deviceOf(value)] }];
  }
  if (kind !== "route" || textOf(value).includes(" and ")) return [];
  const routes = routeWords(textOf(value));
  return routes
    .filter((words) => routes.length === 1 || words.includes("advertisement"))
    .map((words) => ({ rank: 5, argv: ["ip", family(first), "route", "del", ...routeArguments(first, words)] }));
}

/** `via fe80::1 dev eth0, via …`: the words of each route that has the destination. */
function routeWords(value: string): readonly (readonly string[])[] {
  return value.split(", ").map((route) => route.split(" "));
}

function routeArguments(to: string, words: readonly string[]): readonly string[] {
  if (words[0] === "unreachable") return ["unreachable", to];
  const advertised = words.includes("advertisement");
  const hop = words.slice(0, advertised ? words.indexOf("from") : words.length);
  // With a gateway on the link `onlink` says nothing new; to one outside the prefix there is no route without.
  return [to, ...hop, ...(advertised ? ["proto", "ra"] : hop[0] === "via" ? ["onlink"] : [])];
}

function family(to: string): string {
  return to.includes(":") ? "-6" : "-4";
}

function deviceOf(value: Item["value"]): string {
  return /^dev (\S+)/.exec(textOf(value))?.[1] ?? "";
}

/** The links that a change concerns, by name; `undefined` in it stands for the link that holds unreachable routes. */
export function linkOfChange(change: Change): string | undefined {
  const [kind, first] = keyOf(change).split(" ");
  if (kind === "address") return first;
  const value = textOf(change.kind === "delete" ? change.before.value : change.after.value);
  return /\bdev (\S+)/.exec(value)?.[1];
}

/** One line of POSIX sh per kernel setting; a value that is not taken ends with a message and a failure. */
export function sysctlScript(settings: readonly { readonly key: string; readonly value: string }[]): string {
  return settings
    .map(
      ({ key, value }) =>
        `printf '%s\\n' ${quoteWord(value)} >${quoteWord(procPath(key))} || { echo ${quoteWord(`${key} = ${value} is not taken`)} >&2; failed=1; }`,
    )
    .join("\n");
}

/** The settings among changes, as they are after them. */
export function sysctlsAmong(changes: readonly Change[]): readonly { readonly key: string; readonly value: string }[] {
  return changes.flatMap((change) => {
    if (change.kind === "delete" || !change.after.key.startsWith("sysctl ")) return [];
    return [{ key: change.after.key.slice("sysctl ".length), value: textOf(change.after.value) }];
  });
}

/** POSIX sh that puts files back: written beside, then renamed. */
export function filesScript(
  files: readonly { readonly path: string; readonly text: string | undefined; readonly mode?: number | undefined }[],
): string {
  return files
    .map(({ path, text, mode = 0o644 }) => {
      const at = quoteWord(path);
      if (text === undefined) return `rm -f ${at}`;
      const beside = quoteWord(`${path}.sixgate-undo`);
      return `printf '%s' ${quoteWord(text)} >${beside} && chmod ${mode.toString(8)} ${beside} && mv -f ${beside} ${at} || failed=1`;
    })
    .join("\n");
}
