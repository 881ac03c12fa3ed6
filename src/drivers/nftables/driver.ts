import { createHash } from "node:crypto";
import { Failure } from "../../base/failure.ts";
import type { Seconds } from "../../base/time.ts";
import { type Change, type ChangeSet, keyOf } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import type { Item } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import { shellOf, type Way } from "../../runtime/way.ts";
import type { Driver, DriverKind, Observed, Pending } from "../driver.ts";
import { refuseSecond } from "../earlier-undo.ts";
import { goBack } from "../go-back.ts";
import { replaceFile } from "../previous.ts";
import { armWatchdog } from "../watchdog.ts";
import { type Nft, nftAt } from "./api.ts";
import { bootPaths } from "./boot.ts";
import { fileItem, normalize, render, rulesetOf, sorted } from "./convert.ts";
import { admissionOf, answerOf, dynamicAdmissionOf, type LiveFlow } from "./flows.ts";
import { audit } from "./limits.ts";
import { shutOut } from "./logins.ts";
import { memberKinds } from "./members.ts";
import { commentOf, hashOf, ruleLine } from "./ruleset.ts";
import { memberSet } from "./set-shapes.ts";
import { shardOf } from "./shards.ts";
import { fieldOf, inverseOf, needsRebuild, partsOf, type RulesOf, rebuildOf, transactionOf } from "./transaction.ts";
import { type Former, undoScript } from "./undo.ts";

/** The filter of a Linux gateway: one table, `inet sixgate`, made once and then changed by deltas. nft 1.0.6 or later. */
export const nftables: DriverKind<GatewayDesired> = {
  name: "nftables",
  layer: "gateway",
  undo: "watchdog",
  audit,
  normalize,
  render,
  shutOut,
  at,
};

/** Up to so many addresses are asked for one by one when flows are to be cut. */
const fewAddresses = 8;

function at(way: Way, desired: GatewayDesired): Driver {
  const shell = shellOf(way);
  const nft = nftAt(shell);
  // Files of a change that waits for its confirmation. They are written only then, so a restart in between boots the
  // old state; until then they count as there.
  let staged: readonly Change[] = [];

  async function observe(signal?: AbortSignal): Promise<Observed> {
    const live = (await nft.read(signal)) ?? [];
    const files = await Promise.all(bootPaths.map(async (path) => [path, await shell.read(path)] as const));
    const there = files.flatMap(([path, text]) => (text === undefined ? [] : [fileItem(path, text)]));
    const items = sorted(patched([...live, ...there], staged));
    return { items, revision: revisionOf(items) };
  }

  async function apply(set: ChangeSet, confirmWithin: Seconds, signal?: AbortSignal): Promise<Pending> {
    const before = await observe(signal);
    if (before.revision !== set.base) {
      throw new Failure("E510", shell.name, "The gateway's table or files changed since the plan", "plan again");
    }
    const files = set.changes.filter(isFile);
    const live = set.changes.filter((each) => !isFile(each));
    const target = patched(before.items, live);
    const step = { nft, desired, before: before.items, target, live };
    const undo = await goLive(
      step,
      { shell, confirmWithin, revision: before.revision },
      rulesOf(desired, live, shell),
      signal,
    );
    staged = files;
    try {
      const left = diff((await observe(signal)).items, sorted(patched(target, files)));
      if (left.length > 0) throw notAsPlanned(shell, left);
    } catch (cause) {
      staged = [];
      await undo.rollback(AbortSignal.timeout(60_000));
      throw cause;
    }
    return pendingOf(undo);
  }

  function pendingOf(undo: Pending): Pending {
    return {
      async confirm(signal) {
        const files = staged;
        staged = [];
        await undo.confirm(signal);
        for (const change of files) await writeFile(shell, change);
      },
      async rollback(signal) {
        staged = [];
        await undo.rollback(signal);
      },
    };
  }
  return { observe, apply };
}

type Step = {
  readonly nft: Nft;
  readonly desired: GatewayDesired;
  readonly before: readonly Item[];
  readonly target: readonly Item[];
  readonly live: readonly Change[];
};

type Where = { readonly shell: Shell; readonly confirmWithin: Seconds; readonly revision: string };

/** Arms the undo, sends the one transaction, cuts the flows that it closed. What it gives undoes all three. */
async function goLive(
  step: Step,
  { shell, confirmWithin, revision }: Where,
  rules: RulesOf,
  signal?: AbortSignal,
): Promise<Pending> {
  const { nft, live, target } = step;
  const transaction = needsRebuild(live) ? rebuildOf(target, rules) : transactionOf(live, rules);
  if (transaction === "") return { confirm: () => Promise.resolve(), rollback: () => Promise.resolve() };
  if (closes(live)) await nft.requireConntrack(signal);
  const structural = live.some((each) => (each.kind === "delete" ? each.before : each.after).lane === "structure");
  if (structural) await refuseSecond(shell, "nftables-", signal);
  const former = structural ? await formerOf(step, signal) : undefined;
  const undo = structural
    ? await armWatchdog(shell, {
        id: `nftables-${hashOf(`${revision} ${shell.name} ${transaction}`)}-${Date.now().toString(36)}`,
        undo: undoScript(live, former),
        after: confirmWithin,
      })
    : undoMembers(step, rules);
  try {
    if (structural && former === undefined) await nft.keepSessions(signal);
    await nft.send(transaction, signal);
  } catch (cause) {
    const refused = cause instanceof Failure && cause.diagnostic.code === "E511";
    // Refused: nothing went in, so there is nothing to put back. Else, with a connection lost or a program that did not
    // end, nobody knows: back now where that can be asked for, or by the watchdog.
    if (!refused && structural) return goBack(shell.name, undo, cause, AbortSignal.timeout(60_000));
    if (refused) await undo.confirm(AbortSignal.timeout(30_000));
    else await undo.rollback(AbortSignal.timeout(60_000)).catch(() => undefined);
    throw cause;
  }
  try {
    await cutClosed(step, signal);
  } catch (cause) {
    await undo.rollback(AbortSignal.timeout(60_000));
    throw cause;
  }
  return undo;
}

async function formerOf({ nft, before }: Step, signal?: AbortSignal): Promise<Former | undefined> {
  const listing = await nft.print(signal);
  return listing === undefined ? undefined : { items: before, listing };
}

/** Openings alone need no dead-man: they can't cut anybody off from the gateway. */
function undoMembers(step: Step, rules: RulesOf): Pending {
  const back = inverseOf(step.live);
  return {
    confirm: () => Promise.resolve(),
    async rollback(signal) {
      await step.nft.send(transactionOf(back, rules), signal);
      await cutClosed({ ...step, before: step.target, target: step.before, live: back }, signal);
    },
  };
}

/** Whether live flows may have lost what let them in. A new set or element alone takes nothing away. */
function closes(live: readonly Change[]): boolean {
  return live.some(
    (each) => keyOf(each).startsWith("chain ") || (each.kind !== "create" && keyOf(each).startsWith("element ")),
  );
}

/**
 * Closing a port does not end the flows through it: connection tracking lets them on. So every flow is judged by the
 * new state and what it would not let begin is cut; `nf_conntrack_tcp_loose=0` keeps it from coming back.
 */
async function cutClosed(step: Step, signal?: AbortSignal): Promise<void> {
  const { nft, desired, target, live } = step;
  if (!closes(live)) return;
  for (const to of addressesClosed(live) ?? [undefined]) {
    const shut = await shutFlows(step, await nft.flows(to, signal), signal);
    const holds = target.some((each) => each.key === "set cut");
    if (holds)
      await nft.hold(
        shut.flatMap((each) => answerOf(each) ?? []),
        signal,
      );
    await nft.cut(shut, signal);
  }
  const outbound = desired.nat4 !== undefined && desired.policy.egress === "open";
  if (!outbound && live.some((each) => keyOf(each) === "chain forward4")) await nft.cutTranslated(signal);
}

/** Which of these flows the new state would not let begin. What labels and people opened is read for their shards alone. */
async function shutFlows(
  { nft, desired, before, target }: Step,
  flows: readonly LiveFlow[],
  signal?: AbortSignal,
): Promise<readonly LiveFlow[]> {
  const admission = admissionOf(desired, before, target);
  const judged = flows.map((flow) => ({ flow, admitted: admission(flow) }));
  const open = judged.filter((each) => each.admitted === undefined).map(({ flow }) => flow.to);
  const there = new Set(target.map((each) => each.key));
  const sets = [...new Set(open.map((to) => shardOf(to, desired.hostLength)))]
    .flatMap((shard) => memberKinds.map((kind) => `set ${memberSet(kind, shard)}`))
    .filter((set) => there.has(set));
  const opened = dynamicAdmissionOf(desired, await nft.elements(sets, signal));
  return judged.filter(({ flow, admitted }) => !(admitted ?? opened(flow))).map(({ flow }) => flow);
}

/** The few addresses that only openings went from; undefined where more than openings changed, or many. */
function addressesClosed(live: readonly Change[]): readonly string[] | undefined {
  const found = new Set<string>();
  for (const change of live) {
    if (change.kind === "create" && change.after.lane === "members") continue;
    if (change.kind === "create" || change.before.lane !== "members") return undefined;
    found.add(partsOf(change.before).rest.split(" ")[0] ?? "");
  }
  return found.size > fewAddresses ? undefined : [...found];
}

/**
 * The text of the rules that a change set names by their marks. Rejects with E511 where the set was made from another
 * desired state than this driver has.
 */
function rulesOf(desired: GatewayDesired, live: readonly Change[], shell: Shell): RulesOf {
  const chains = new Map(rulesetOf(desired).chains.map((each) => [each.name, each.rules]));
  for (const change of live) {
    if (change.kind === "delete" || !change.after.key.startsWith("chain ")) continue;
    const { name } = partsOf(change.after);
    const marks = (chains.get(name) ?? []).map(commentOf);
    if (JSON.stringify(fieldOf(change.after, "rules")) === JSON.stringify(marks)) continue;
    throw new Failure(
      "E511",
      shell.name,
      `The plan's chain ${name} isn't the fleet's`,
      "plan again from the same fleet file",
    );
  }
  return (name) => (chains.get(name) ?? []).map(ruleLine);
}

function patched(items: readonly Item[], changes: readonly Change[]): readonly Item[] {
  if (changes.length === 0) return items;
  const byKey = new Map(items.map((each) => [each.key, each]));
  for (const change of changes) {
    if (change.kind === "delete") byKey.delete(change.before.key);
    else byKey.set(change.after.key, change.after);
  }
  return [...byKey.values()];
}

function revisionOf(items: readonly Item[]): string {
  const hash = createHash("sha256");
  for (const { key, value } of items) hash.update(`${key}\0${JSON.stringify(value)}\0`);
  return hash.digest("hex").slice(0, 32);
}

function isFile(change: Change): boolean {
  return keyOf(change).startsWith("file ");
}

async function writeFile(shell: Shell, change: Change): Promise<void> {
  const path = keyOf(change).slice("file ".length);
  if (change.kind === "delete") await replaceFile(shell, path, undefined);
  else if (typeof change.after.value === "string") await replaceFile(shell, path, change.after.value);
  else throw new RangeError(`Not a file's text: ${path}`);
}

function notAsPlanned(shell: Shell, left: readonly Change[]): Failure {
  const keys = left.slice(0, 3).map(keyOf).join("; ");
  return new Failure(
    "E512",
    shell.name,
    `Not as planned after the change: ${keys}${left.length > 3 ? ` and ${left.length - 3} more` : ""}`,
    "somebody else changes the table; it was set back",
  );
}
