import { join } from "node:path";
import { formatDiagnostic, isError } from "../base/diagnostic.ts";
import { derive } from "../desired/derive.ts";
import { auditOf, renderOf } from "../drivers/index.ts";
import { writeText } from "../runtime/files.ts";
import { type Exit, exit } from "./exit.ts";
import { openFleet } from "./fleet-file.ts";
import { layerNamed } from "./layer.ts";
import { Refused } from "./refused.ts";
import type { Terminal } from "./terminal.ts";

export type RenderOptions = {
  readonly file?: string;
  readonly prefix?: string;
  readonly out?: string;
  readonly layer?: string;
};

/** `sixgate render`: every file of every device, as the drivers would write it. Sends nothing to any device. */
export async function render(options: RenderOptions, terminal: Terminal): Promise<Exit> {
  const layer = layerNamed(options.layer, "render");
  const { fleet, plan, warnings } = await openFleet(options);
  const wanted = derive(fleet, plan).filter((each) => layer === undefined || each.layer === layer);
  const found = wanted.flatMap(auditOf);
  const errors = found.filter(isError);
  if (errors.length > 0) throw new Refused(errors);
  for (const warning of [...warnings, ...found]) terminal.say(formatDiagnostic(warning));
  const files = wanted.flatMap((desired) =>
    renderOf(desired).map((file) => ({ device: desired.device, layer: desired.layer, ...file })),
  );
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
