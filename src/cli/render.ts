import { join } from "node:path";
import { isError } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import { derive } from "../desired/derive.ts";
import type { Layer } from "../desired/desired.ts";
import { auditOf, renderOf } from "../drivers/index.ts";
import { writeText } from "../runtime/files.ts";
import { exit, type Exit } from "./exit.ts";
import { openFleet } from "./fleet-file.ts";
import { Refused } from "./refused.ts";
import type { Terminal } from "./terminal.ts";

export type RenderOptions = { readonly file?: string; readonly out?: string; readonly layer?: string };

const layers: readonly Layer[] = ["hypervisor", "guest", "gateway", "engine"];

/** `sixgate render`: every file of every device, as the drivers would write it. Sends nothing to any device. */
export async function render(options: RenderOptions, terminal: Terminal): Promise<Exit> {
  const { layer } = options;
  if (layer !== undefined && !layers.some((each) => each === layer)) {
    throw new Failure("E802", "render", `No layer "${layer}"`, `one of ${layers.join(", ")}`);
  }
  const { fleet, plan } = await openFleet(options.file);
  const wanted = derive(fleet, plan).filter((each) => layer === undefined || each.layer === layer);
  const errors = wanted.flatMap(auditOf).filter(isError);
  if (errors.length > 0) throw new Refused(errors);
  const files = wanted.flatMap((desired) => renderOf(desired).map((file) => ({ device: desired.device, layer: desired.layer, ...file })));
  for (const file of files) {
    if (options.out === undefined) {
      terminal.line(`# ── ${file.device}:${file.path}`, "dim");
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
