import { Failure } from "../../base/failure.ts";
import type { Shell } from "../../runtime/shell.ts";
import { liveCommands } from "../linux/converge.ts";
import type { GuestTool, Touched } from "../linux/guest-driver.ts";
import type { OwnFiles } from "../linux/observe-guest.ts";
import { readFiles } from "../linux/own-files.ts";
import { readPieces } from "../linux/stanzas.ts";
import { sysctlPath } from "../linux/sysctl.ts";
import { has } from "./api.ts";
import { interfacesPath } from "./convert.ts";
import { claimsOfInterfaces, guestPath, render } from "./guest-convert.ts";

/** ifupdown 0.8 and ifupdown2 3.0 on a machine whose main file is somebody else's. */
export const guestTool: GuestTool = {
  name: "ifupdown",
  undoes: "all",
  files: render,
  ownFiles,
  claims: (files) => claimsOfInterfaces(files.get(guestPath) ?? ""),
  linksOf: (path, { links }) => (path === guestPath ? links.map(({ name }) => name) : []),
  async ready(shell, signal) {
    if ((await has(shell, "ifup", signal)) || (await has(shell, "ifreload", signal))) return;
    throw new Failure(
      "E518",
      shell.name,
      "Neither ifupdown nor ifupdown2 is there",
      "install ifupdown2, or set `network: networkd` for this machine",
    );
  },
  bring,
  // The programs that follow in the undo bring addresses and routes back, also without ifupdown2.
  bringScript: () => "if command -v ifreload >/dev/null 2>&1; then ifreload -a || failed=1; fi",
};

async function ownFiles(shell: Shell): Promise<OwnFiles> {
  await requireSource(shell);
  return readFiles(shell, [guestPath, sysctlPath]);
}

/** The main file is not ours to edit; when it does not read interfaces.d, nothing that we write there would hold. */
async function requireSource(shell: Shell): Promise<void> {
  const text = await shell.read(interfacesPath);
  const lines = readPieces(text ?? "").map((piece) => piece.text.trim().split(/\s+/));
  if (lines.some(([word = "", path = ""]) => readsFolder(word, path))) return;
  const text1 = text === undefined ? `There is no ${interfacesPath}` : `${interfacesPath} does not read ${guestPath}`;
  throw new Failure(
    "E519",
    shell.name,
    text1,
    `add the line \`source /etc/network/interfaces.d/*\` to ${interfacesPath}`,
  );
}

function readsFolder(word: string, path: string): boolean {
  const whole = path.startsWith("/") ? path : `/etc/network/${path}`;
  if (word === "source-directory") return whole.replace(/\/$/, "") === "/etc/network/interfaces.d";
  return word === "source" && (whole === "/etc/network/interfaces.d/*" || whole === guestPath);
}

/**
 * ifupdown2 compares and changes only what differs. The classic one can only take a link down and up again, and so
 * cut the connection that asks for it: links that are up are brought to the files by `ip`, others by `ifup`.
 */
async function bring(shell: Shell, touched: Touched, signal?: AbortSignal): Promise<void> {
  const options = { timeout: 120_000, ...(signal === undefined ? {} : { signal }) };
  if (await has(shell, "ifreload", signal)) {
    // 0 also where a line was not understood: the live state decides.
    await shell.run(["ifreload", "-a"], options);
    return;
  }
  for (const link of touched.links) {
    const state = await shell.run(["ifquery", "--state", link], options);
    if (state.code !== 0) await shell.run(["ifup", link], options);
  }
  for (const argv of liveCommands(touched.changes)) await shell.run(argv, options);
}
