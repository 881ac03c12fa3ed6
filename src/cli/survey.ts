import { createHash } from "node:crypto";
import { formatLedger } from "../addressing/ledger.ts";
import { formatDiagnostic, isError } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import type { ChangeSet } from "../change/change-set.ts";
import type { Access, GuardFact } from "../change/guard.ts";
import { derive } from "../desired/derive.ts";
import type { Desired } from "../desired/desired.ts";
import { readAccess } from "../drivers/access.ts";
import { auditOf, bind } from "../drivers/index.ts";
import { planDevice } from "../drivers/plan-device.ts";
import { withoutApis } from "../lab/lab-fleet.ts";
import { isApiWay, type Way } from "../runtime/way.ts";
import type { Opened } from "./fleet-file.ts";
import { layerNamed } from "./layer.ts";
import { Refused } from "./refused.ts";
import type { Terminal } from "./terminal.ts";
import { type Ways, waysOf } from "./ways.ts";

/** A layer of a device, read: what it should be, how we got at it, what would change. */
export type Surveyed = {
  readonly desired: Desired;
  readonly way: Way;
  readonly set: ChangeSet;
  readonly fact: GuardFact;
  /** What no change set can mend. */
  readonly notes: readonly string[];
};

export type SurveyOptions = {
  readonly only?: readonly string[] | undefined;
  readonly layer?: string | undefined;
  readonly lab?: string | true | undefined;
  /** How devices are reached, where that is known otherwise. */
  readonly ways?: Ways;
};

/** Reads every device that can be reached and compares it with the fleet. Any device that can't be read rejects. */
export async function survey(
  opened: Opened,
  options: SurveyOptions,
  terminal: Pick<Terminal, "say">,
): Promise<readonly Surveyed[]> {
  const layer = layerNamed(options.layer, "diff");
  const fleet = options.lab === undefined ? opened.fleet : withoutApis(opened.fleet);
  const wanted = derive(fleet, opened.plan).filter(
    (each) => (options.only?.includes(each.device) ?? true) && (layer === undefined || each.layer === layer),
  );
  checkNames(opened, options);
  const found = wanted.flatMap(auditOf);
  const errors = found.filter(isError);
  if (errors.length > 0) throw new Refused(errors);
  for (const warning of [...opened.warnings, ...found]) terminal.say(formatDiagnostic(warning));
  const ways = options.ways ?? (await waysOf(fleet, options.lab));
  const near = wanted.filter((each) => ways(each.device, each.layer) !== undefined);
  const rendered = new Set(
    wanted.filter((each) => ways(each.device, each.layer) === undefined).map((each) => `${each.device} ${each.layer}`),
  );
  if (rendered.size > 0)
    terminal.say(
      `not read, since ${options.lab === undefined ? "the fleet file gives no reach" : "the lab has stand-ins"}: ${[...rendered].join(", ")} (see \`sixgate render\`)`,
    );
  if (near.length === 0) {
    throw new Failure(
      "E805",
      opened.file,
      "No device can be reached",
      "give devices `reach: local`, `reach: ssh:user@host` or an `api:`, or use --lab with a running lab",
    );
  }
  return Promise.all(near.map((desired) => surveyOne(desired, ways)));
}

function checkNames(opened: Opened, options: SurveyOptions): void {
  const names = new Set<string>(derive(opened.fleet, opened.plan).map((each) => each.device));
  const unknown = options.only?.filter((name) => !names.has(name)) ?? [];
  if (unknown.length > 0)
    throw new Failure("E802", "--only", `No device "${unknown.join(", ")}"`, `devices: ${[...names].join(", ")}`);
}

async function surveyOne(desired: Desired, ways: Ways): Promise<Surveyed> {
  const way = ways(desired.device, desired.layer);
  if (way === undefined) throw new RangeError(`no way to ${desired.device}`);
  const { set, structure, notes } = await planDevice(way, desired);
  const access = await accessBy(way);
  const { undo, shutOut } = bind(way, desired);
  const fact = {
    device: desired.device,
    layer: desired.layer,
    structure,
    undo,
    ...(access === undefined ? {} : { access, shutOut: shutOut(access) }),
  };
  return { desired, way, set, fact, notes };
}

/** Over an API we came in to the address that answered, whatever name the fleet file has for it. */
async function accessBy(way: Way): Promise<Access | undefined> {
  if (!isApiWay(way)) return readAccess(way);
  const address = way.http.peer();
  return address === undefined ? undefined : { address: address.replace(/%.*$/, "") };
}

export function ledgerDigest(opened: Opened): string {
  return createHash("sha256").update(formatLedger(opened.ledger)).digest("hex");
}
