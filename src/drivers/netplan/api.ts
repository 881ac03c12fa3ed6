import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Shell } from "../../runtime/shell.ts";
import type { GuestTool } from "../linux/guest-driver.ts";
import type { Claims } from "../linux/guest-items.ts";
import { bringToFiles, bringToFilesScript, networkdSettings, requireNetworkd } from "../linux/networkctl.ts";
import type { OwnFiles } from "../linux/observe-guest.ts";
import { readFiles } from "../linux/own-files.ts";
import { sysctlPath } from "../linux/sysctl.ts";
import {
  claimsOfNetplan,
  dropInName,
  linkOfDropIn,
  netplanPath,
  networkFolder,
  proxiesOfDropIn,
  render,
} from "./convert.ts";

/**
 * netplan 0.106 and later with networkd behind it. `netplan generate` and networkctl instead of `netplan apply`:
 * that one restarts more than the network that changed, and takes links down on the way.
 */
export const netplanTool: GuestTool = {
  name: "netplan",
  undoes: "removes",
  files: render,
  ownFiles,
  claims,
  linksOf: () => [],
  ready: requireNetworkd,
  async bring(shell, touched, signal) {
    const ran = await shell.run(["sh", "-c", generate], signal === undefined ? {} : { signal });
    if (ran.code !== 0) {
      const said = printable(ran.stderr.trim().slice(0, 600));
      throw new Failure(
        "E511",
        shell.name,
        `\`netplan generate\` refused: ${said}`,
        "look at the other files in /etc/netplan: all are read as one",
      );
    }
    await bringToFiles(shell, touched.links, touched.files.includes(networkdSettings.path), signal);
  },
  bringScript: (touched) => `( ${generate}\n) || failed=1\n${bringToFilesScript(touched.links)}`,
};

/**
 * netplan writes all files anew, and networkd makes every link anew whose file is another one: what did not change
 * gets its old file back, or a new address on one link would be felt on all.
 */
const generate = `now=/run/systemd/network old=/run/sixgate/netplan
rm -rf "$old" && mkdir -p "$now" "$old" || exit 1
for file in "$now"/10-netplan-*; do if [ -f "$file" ]; then ln "$file" "$old/" || exit 1; fi; done
netplan generate || exit 1
for file in "$old"/*; do
  if [ -f "$file" ] && cmp -s "$file" "$now/\${file##*/}"; then mv -f "$file" "$now/"; fi
done
rm -rf "$old"`;

async function ownFiles(shell: Shell): Promise<OwnFiles> {
  const folders = (await shell.list(networkFolder)).filter((name) => linkOfDropIn(name) !== undefined);
  const dropIns = folders.map((name) => `${networkFolder}/${name}/${dropInName}`);
  return readFiles(shell, [netplanPath, ...dropIns, networkdSettings.path, sysctlPath]);
}

function claims(files: OwnFiles): Claims {
  const found = claimsOfNetplan(files.get(netplanPath) ?? "");
  return {
    ...found,
    proxies: [...files].flatMap(([path, text]) => (path.endsWith(`/${dropInName}`) ? proxiesOfDropIn(text) : [])),
  };
}
