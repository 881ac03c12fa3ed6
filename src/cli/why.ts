import type { Service } from "../openings/opening.ts";
import { formatService } from "../openings/services.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { remoteAt } from "./remote.ts";
import type { Terminal, Tone } from "./terminal.ts";

type WhyLink = {
  readonly link: string;
  readonly state: "holds" | "missing" | "unknown";
  readonly text: string;
  readonly code?: string;
  readonly fix?: string;
};
type Why = {
  readonly service: Service;
  readonly paths: readonly {
    readonly to: string;
    readonly host: string;
    readonly container?: string;
    readonly verdict: "open" | "closed" | "unknown";
    readonly links: readonly WhyLink[];
  }[];
};

const signs: Readonly<Record<WhyLink["state"], readonly [sign: string, tone: Tone]>> = {
  holds: ["✓", "good"],
  missing: ["✗", "bad"],
  unknown: ["?", "change"],
};
const tones: Readonly<Record<string, Tone>> = { open: "good", closed: "bad", unknown: "change" };

/** `sixgate why`: the chain from who asked to the element on the gateway. Fine whatever the answer is: nothing was demanded. */
export async function why(
  target: string,
  options: DoorOptions & { readonly from: string },
  terminal: Terminal,
): Promise<Exit> {
  const remote = remoteAt(await openDoor(options));
  const found = await remote.get<Why>("why/1", "/api/v1/why", { to: target, from: options.from });
  for (const [i, path] of found.paths.entries()) {
    if (i > 0) terminal.line("");
    const where = path.container === undefined ? path.host : `${path.host}/${path.container}`;
    terminal.line(
      `${options.from} → ${where} ${path.to} ${formatService(found.service)}: ${path.verdict}`,
      tones[path.verdict] ?? "plain",
    );
    for (const link of path.links) printLink(link, terminal);
  }
  terminal.result(found);
  return exit.fine;
}

function printLink(link: WhyLink, terminal: Terminal): void {
  const [sign, tone] = signs[link.state] ?? ["?", "change"];
  terminal.line(`  ${sign} ${link.link.padEnd(9)} ${link.code === undefined ? "" : `${link.code} `}${link.text}`, tone);
  if (link.fix !== undefined) terminal.line(`    ${"".padEnd(9)} fix: ${link.fix}`);
}
