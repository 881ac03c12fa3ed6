import { randomUUID } from "node:crypto";
import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Seconds } from "../../base/time.ts";
import { type Change, type ChangeSet, keyOf } from "../../change/change-set.ts";
import { equalValues } from "../../change/equal.ts";
import type { Item } from "../../change/item.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import { quoteWord } from "../../runtime/shell-ssh.ts";
import type { Driver, Observed, Pending, RenderedFile } from "../driver.ts";
import { refuseSecond } from "../earlier-undo.ts";
import { goBack } from "../go-back.ts";
import { replaceFile } from "../previous.ts";
import { armWatchdog } from "../watchdog.ts";
import { untilAsPlanned } from "./as-planned.ts";
import { filesScript, inverse, linkOfChange, liveCommands, sysctlScript, sysctlsAmong } from "./converge.ts";
import { type Claims, textOf } from "./guest-items.ts";
import { type Live, readLive } from "./live.ts";
import { type OwnFiles, observeGuest } from "./observe-guest.ts";

/** What a change set is about, as the tool that reads the files needs it. */
export type Touched = {
  /** Links with a changed file, address or route, and which are there. */
  readonly links: readonly string[];
  /** Paths of files that change. */
  readonly files: readonly string[];
  readonly changes: readonly Change[];
};

/** One tool that configures a machine's network from files. */
export type GuestTool = {
  readonly name: string;
  files(desired: GuestDesired): readonly RenderedFile[];
  /** Every file that carries our mark, whatever fleet it was for. */
  ownFiles(shell: Shell, signal?: AbortSignal): Promise<OwnFiles>;
  claims(files: OwnFiles): Claims;
  /** The links that have to be brought up for a changed file, beyond what reading the files anew does by itself. */
  linksOf(path: string, desired: GuestDesired): readonly string[];
  /** Rejects when the tool can't do its work; before anything is changed. */
  ready(shell: Shell, signal?: AbortSignal): Promise<void>;
  /** Brings the kernel to the files. */
  bring(shell: Shell, touched: Touched, signal?: AbortSignal): Promise<void>;
  /** The same for an undo, in POSIX sh; sets `failed=1` where it does not succeed. */
  bringScript(touched: Touched): string;
  /**
   * `all` where the tool does not look after what it made: an undo makes routes and addresses by itself too. networkd
   * would take a route made so for somebody else's, so there an undo only removes.
   */
  readonly undoes: "all" | "removes";
};

export function guestDriver(tool: GuestTool, shell: Shell, desired: GuestDesired): Driver {
  async function observe(signal?: AbortSignal): Promise<Observed> {
    const files = await tool.ownFiles(shell, signal);
    return observeGuest(shell, desired, files, tool.claims(files), signal);
  }
  return {
    observe,
    async apply(set, confirmWithin, signal) {
      await refuseSecond(shell, `${tool.name}-`, signal);
      const before = await observe(signal);
      if (before.revision !== set.base) {
        throw new Failure(
          "E510",
          shell.name,
          "The machine's network changed since the plan",
          "plan again and look at what changed",
        );
      }
      await tool.ready(shell, signal);
      const touched = touchedBy(tool, set, desired, linksThere(shell, desired, await readLive(shell, signal)));
      const pending = await arm(tool, shell, touched, modesOf(tool.files(desired)), confirmWithin);
      try {
        await change(tool, shell, touched, desired, signal);
        await asPlanned(shell, set, observe, signal);
        return pending;
      } catch (cause) {
        return await goBack(shell.name, pending, cause);
      }
    },
  };
}

/** Names of all links. Rejects when one of the fleet's is missing or is another card than the fleet says. */
function linksThere(shell: Shell, desired: GuestDesired, live: Live): ReadonlySet<string> {
  for (const { name, mac } of desired.links) {
    const link = live.links.find((each) => each.name === name);
    const names = live.links.map((each) => `${each.name} (${each.mac ?? "no MAC"})`).join(", ");
    if (link === undefined)
      throw new Failure("E511", shell.name, `No interface "${name}"`, `set \`device:\` to one of: ${names}`);
    if (mac !== undefined && link.mac !== mac) {
      throw new Failure(
        "E511",
        shell.name,
        `Interface "${name}" has the MAC ${link.mac ?? "none"}, the fleet says ${mac}`,
        `there are: ${names}`,
      );
    }
  }
  return new Set(live.links.map(({ name }) => name));
}

function touchedBy(tool: GuestTool, set: ChangeSet, desired: GuestDesired, there: ReadonlySet<string>): Touched {
  const files = set.changes.map(keyOf).flatMap((key) => (key.startsWith("file ") ? [key.slice("file ".length)] : []));
  const links = set.changes.flatMap((change) => {
    const key = keyOf(change);
    if (key.startsWith("sysctl ")) return [];
    if (key.startsWith("file ")) return tool.linksOf(key.slice("file ".length), desired);
    const link = linkOfChange(change) ?? desired.links[0]?.name;
    return link === undefined ? [] : [link];
  });
  return { links: [...new Set(links)].filter((link) => there.has(link)), files, changes: set.changes };
}

function modesOf(files: readonly RenderedFile[]): ReadonlyMap<string, number> {
  return new Map(files.map(({ path, mode = 0o644 }) => [path, mode]));
}

/** The undo puts files back first, lets the tool read them, then names what the tool would leave behind. */
function arm(
  tool: GuestTool,
  shell: Shell,
  touched: Touched,
  modes: ReadonlyMap<string, number>,
  after: Seconds,
): Promise<Pending> {
  const back = touched.changes.map(inverse);
  const files = back.flatMap((change) => {
    const key = keyOf(change);
    if (!key.startsWith("file ")) return [];
    const path = key.slice("file ".length);
    return [{ path, text: change.kind === "delete" ? undefined : textOf(change.after.value), mode: modes.get(path) }];
  });
  const undo = [
    "failed=0",
    filesScript(files),
    tool.bringScript(touched),
    ...liveCommands(back)
      .filter((argv) => tool.undoes === "all" || argv.includes("del"))
      .map((argv) => `${argv.map(quoteWord).join(" ")} 2>/dev/null || true`),
    sysctlScript(sysctlsAmong(back)),
    'exit "$failed"',
    "",
  ].join("\n");
  return armWatchdog(shell, { id: `${tool.name}-${randomUUID()}`, undo, after });
}

async function change(
  tool: GuestTool,
  shell: Shell,
  touched: Touched,
  desired: GuestDesired,
  signal?: AbortSignal,
): Promise<void> {
  const modes = modesOf(tool.files(desired));
  for (const each of touched.changes) {
    const key = keyOf(each);
    if (!key.startsWith("file ")) continue;
    const path = key.slice("file ".length);
    await replaceFile(
      shell,
      path,
      each.kind === "delete" ? undefined : textOf(each.after.value),
      modes.get(path) ?? 0o644,
    );
  }
  if (touched.links.length > 0 || touched.files.length > 0) await tool.bring(shell, touched, signal);
  // What only an old file spoke for: no tool removes it from a link it no longer looks after.
  const rest = touched.changes.filter((each) => each.kind !== "create");
  for (const argv of liveCommands(rest).filter((argv) => argv.includes("del"))) await shell.run(argv);
  const settings = sysctlsAmong(touched.changes);
  if (settings.length === 0) return;
  const ran = await shell.run(
    ["sh", "-c", `failed=0\n${sysctlScript(settings)}\nexit "$failed"`],
    signal === undefined ? {} : { signal },
  );
  if (ran.code === 0) return;
  throw new Failure(
    "E511",
    shell.name,
    `Kernel settings: ${printable(ran.stderr.trim().slice(0, 300))}`,
    "is the kernel module there that has this setting?",
  );
}

/** Waits until every change shows in the live state. Rejects with E512 when it does not come. */
function asPlanned(
  shell: Shell,
  set: ChangeSet,
  observe: (signal?: AbortSignal) => Promise<Observed>,
  signal?: AbortSignal,
): Promise<void> {
  const left = (items: readonly Item[]): readonly Change[] => {
    const found = new Map(items.map(({ key, value }) => [key, value]));
    const open = set.changes.filter((each) => !isDone(each, found));
    const duplicate = open.find((each) => found.get(keyOf(each)) === "duplicate");
    if (duplicate === undefined) return open;
    throw new Failure(
      "E512",
      shell.name,
      `Another machine on the link has it: ${keyOf(duplicate)}`,
      "find it (`ip -6 neigh` on a neighbour) and give it its own address",
    );
  };
  const fix = "look at the device's log; a second default route of somebody else has to be removed by hand";
  return untilAsPlanned({ at: shell.name, items: async () => (await observe(signal)).items, left, fix }, signal);
}

function isDone(change: Change, found: ReadonlyMap<string, Parameters<typeof equalValues>[0]>): boolean {
  const value = found.get(keyOf(change));
  if (change.kind === "delete") return value === undefined;
  return value !== undefined && equalValues(value, change.after.value);
}
