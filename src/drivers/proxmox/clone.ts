import { Failure } from "../../base/failure.ts";
import type { VmDesired } from "../../desired/desired.ts";
import { readText } from "../../runtime/files.ts";
import { type Pve, textOf } from "./api.ts";
import { formatNet, parseNet, vmPath } from "./vms.ts";

/** How long disks may take to copy, in milliseconds. */
const patience = 3_600_000;

/**
 * A VM made from its template, with the NICs and first addresses of the fleet before it ever runs: Proxmox gives a clone
 * MAC addresses of chance. NICs of the template that the fleet does not have go, since this VM is ours from the start.
 */
export async function cloneVm(pve: Pve, vm: VmDesired, signal?: AbortSignal): Promise<void> {
  if (vm.clone === undefined) throw new RangeError(`nothing to make ${vm.name} from`);
  const { template, storage, sshKeys } = vm.clone;
  const keys = sshKeys === undefined ? undefined : await publicKeys(pve, sshKeys);
  const form = { newid: String(vm.id), name: vm.name, full: "1", ...(storage === undefined ? {} : { storage }) };
  await pve.task({ method: "POST", path: vmPath(pve, template, "clone"), form }, patience, signal);
  const config = await pve.read(vmPath(pve, vm.id, "config"), signal);
  const nets = vm.nics.map((nic, place) => [
    `net${place}`,
    formatNet(parseNet(textOf(config, `net${place}`) ?? ""), nic),
  ]);
  const addresses = vm.nics.flatMap(({ ipconfig }, place) =>
    ipconfig === undefined ? [] : [[`ipconfig${place}`, ipconfig] as const],
  );
  const gone = Object.keys(config).filter((key) => /^net\d+$/.test(key) && Number(key.slice(3)) >= vm.nics.length);
  const digest = textOf(config, "digest");
  await pve.send(
    {
      method: "PUT",
      path: vmPath(pve, vm.id, "config"),
      form: {
        ...Object.fromEntries(nets),
        ...Object.fromEntries(addresses),
        // Proxmox wants this one field encoded twice.
        ...(keys === undefined ? {} : { sshkeys: encodeURIComponent(keys) }),
        ...(gone.length === 0 ? {} : { delete: gone.join(",") }),
        ...(digest === undefined ? {} : { digest }),
      },
    },
    signal,
  );
}

export async function startVm(pve: Pve, { id }: VmDesired, signal?: AbortSignal): Promise<void> {
  await pve.task({ method: "POST", path: vmPath(pve, id, "status", "start"), form: {} }, 120_000, signal);
}

async function publicKeys(pve: Pve, path: string): Promise<string> {
  const text = (await readText(path))?.trim();
  const lines = (text ?? "").split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  if (lines.length > 0 && lines.every((line) => /^(?:ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+(?: .*)?$/.test(line.trim())))
    return lines.map((line) => line.trim()).join("\n");
  throw new Failure(
    "E511",
    pve.name,
    `${path} ${text === undefined ? "is not there" : "holds something else than public SSH keys"}`,
    "put lines as in ~/.ssh/id_ed25519.pub there; a private key has no place there",
  );
}
