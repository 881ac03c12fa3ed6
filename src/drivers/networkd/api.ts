import type { Shell } from "../../runtime/shell.ts";
import type { GuestTool } from "../linux/guest-driver.ts";
import { type Claims } from "../linux/guest-items.ts";
import { bringToFiles, bringToFilesScript, networkdSettings, requireNetworkd } from "../linux/networkctl.ts";
import type { OwnFiles } from "../linux/observe-guest.ts";
import { readFiles } from "../linux/own-files.ts";
import { sysctlPath } from "../linux/sysctl.ts";
import { claimsOfFile, linkOfFile, networkFolder, render } from "./convert.ts";

/** systemd-networkd 252 and later, over `networkctl`. */
export const networkdTool: GuestTool = {
  name: "networkd",
  undoes: "removes",
  files: render,
  ownFiles,
  claims,
  linkOf: (path) => linkOfFile(path.slice(path.lastIndexOf("/") + 1)),
  ready: requireNetworkd,
  bring: (shell, { links, files }, signal) => bringToFiles(shell, links, files.includes(networkdSettings.path), signal),
  bringScript: ({ links }) => bringToFilesScript(links),
};

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
