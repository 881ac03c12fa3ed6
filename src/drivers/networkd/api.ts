import type { Shell } from "../../runtime/shell.ts";
import type { GuestTool, Touched } from "../linux/guest-driver.ts";
import { type Claims } from "../linux/guest-items.ts";
import { bringToFiles, bringToFilesScript, networkdSettings, requireNetworkd } from "../linux/networkctl.ts";
import type { OwnFiles } from "../linux/observe-guest.ts";
import { readFiles } from "../linux/own-files.ts";
import { sysctlPath } from "../linux/sysctl.ts";
import { claimsOfFile, linkOfFile, networkFolder, networkPath, render } from "./convert.ts";

/** systemd-networkd 252 and later, over `networkctl`. */
export const networkdTool: GuestTool = {
  name: "networkd",
  undoes: "removes",
  files: render,
  ownFiles,
  claims,
  linksOf: () => [],
  ready: requireNetworkd,
  bring: (shell, touched, signal) =>
    bringToFiles(shell, drifted(touched), touched.files.includes(networkdSettings.path), signal),
  bringScript: (touched) => bringToFilesScript(drifted(touched)),
};

/** Links to make anew though their file stays: a reload does it for the others, and twice would be felt. */
function drifted({ links, files }: Touched): readonly string[] {
  return links.filter((link) => !files.includes(networkPath(link)));
}

async function ownFiles(shell: Shell): Promise<OwnFiles> {
  const names = (await shell.list(networkFolder)).filter((name) => linkOfFile(name) !== undefined);
  return readFiles(shell, [...names.map((name) => `${networkFolder}/${name}`), networkdSettings.path, sysctlPath]);
}

function claims(files: OwnFiles): Claims {
  const found = [...files].flatMap(([path, text]) => {
    const link = linkOfFile(path.slice(path.lastIndexOf("/") + 1));
    return link === undefined ? [] : [claimsOfFile(link, text)];
  });
  return {
    addresses: found.flatMap(({ addresses }) => addresses),
    routes: found.flatMap(({ routes }) => routes),
    proxies: found.flatMap(({ proxies }) => proxies),
  };
}
