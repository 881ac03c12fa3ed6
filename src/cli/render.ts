import { join } from "node:path";
import { formatDiagnostic, isError } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import { derive } from "../desired/derive.ts";
import type { Desired, GatewayDesired } from "../desired/desired.ts";
import type { RenderedFile } from "../drivers/driver.ts";
import { auditOf, drivers, renderInto, renderOf } from "../drivers/index.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { writeText } from "../runtime/files.ts";
import { type Exit, exit } from "./exit.ts";
import { openFleet, readNamed } from "./fleet-file.ts";
import { layerNamed } from "./layer.ts";
import { Refused } from "./refused.ts";
import type { Terminal } from "./terminal.ts";

export type RenderOptions = {
  readonly file?: string;
  readonly prefix?: string;
  readonly out?: string;
  readonly into?: string;
  /** A layer, or a kind of gateway. */
  readonly layer?: string;
};

/** `sixgate render`: every file of every device, as the drivers would write it. Sends nothing to any device. */
export async function render(options: RenderOptions, terminal: Terminal): Promise<Exit> {
  const { fleet, plan, warnings } = await openFleet(options);
  const kind = gatewayKind(options.layer);
  const layer = kind === undefined ? layerNamed(options.layer, "render") : "gateway";
  const shown: Fleet = kind === undefined ? fleet : { ...fleet, gateway: { ...fleet.gateway, kind } };
  const wanted = derive(shown, plan).filter((each) => layer === undefined || each.layer === layer);
  const found = wanted.flatMap(auditOf);
  const errors = found.filter(isError);
  if (errors.length > 0) throw new Refused(errors);
  for (const warning of [...warnings, ...found]) terminal.say(formatDiagnostic(warning));
  const files =
    options.into === undefined
      ? wanted.flatMap((desired) => renderOf(desired).map((file) => placed(desired, file)))
      : [await laidInto(options.into, wanted)];
  for (const file of files) {
    if (options.out === undefined) {
      if (options.into === undefined) terminal.line(`# ── ${file.device}:${file.path}`, "dim");
      terminal.raw(file.text);
    } else {
      const path = join(options.out, file.device, file.path);
      await writeText(path, file.text, file.mode);
      terminal.line(`${path}  (${file.layer})`);
    }
  }
  if (options.out !== undefined) terminal.line(`${files.length} files written below ${options.out}`, "good");
  terminal.result({ format: "sixgate.render/1", files });
  return exit.fine;
}

type Placed = RenderedFile & Pick<Desired, "device" | "layer">;

function placed({ device, layer }: Desired, file: RenderedFile): Placed {
  return { device, layer, ...file };
}

/** The gateway as it would be on another product. */
function gatewayKind(typed: string | undefined): GatewayDesired["driver"] | undefined {
  return (Object.keys(drivers.gateway) as GatewayDesired["driver"][]).find((each) => each === typed);
}

/** The file with the one layer that has such a file. */
async function laidInto(path: string, wanted: readonly Desired[]): Promise<Placed> {
  const text = await readNamed(path);
  if (text === undefined)
    throw new Failure("E807", path, "No such file", "export the firewall's configuration and name it here");
  const gateway = wanted.find((each) => each.layer === "gateway");
  try {
    const laid = gateway === undefined ? undefined : renderInto(gateway, text);
    if (gateway !== undefined && laid !== undefined)
      return { device: gateway.device, layer: "gateway", path, text: laid };
  } catch (cause) {
    if (cause instanceof Failure || !(cause instanceof Error)) throw cause;
    throw new Failure(
      "E570",
      path,
      `Not a configuration to lay the gateway into: ${cause.message}`,
      "export it whole from the device that the fleet file describes",
      { cause },
    );
  }
  throw new Failure(
    "E802",
    "--into",
    "No layer here is a part of one configuration file",
    "use it with a gateway of kind pfsense or opnsense, for example `sixgate render pfsense --into config.xml`",
  );
}
