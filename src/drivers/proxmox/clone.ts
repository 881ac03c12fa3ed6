import { Failure } from "../../base/failure.ts";
import type { VmDesired } from "../../desired/desired.ts";
import { readText } from "../../runtime/files.ts";
import { type Pve, type Row, textOf } from "./api.ts";
import { begunNotes, finishedNotes, notesIn } from "./begun.ts";
import { formatNet, parseNet, vmPath } from "./vms.ts";

/** How long disks may take to copy, in milliseconds. */
const patience = 3_600_000;

/**
 * A VM copied from its template, with the mark of what is not finished. A task of the node does it, which goes on
 * without us. Nothing is copied where the keys to put into it can't be read.
 */
export async function beginVm(pve: Pve, vm: VmDesired, signal?: AbortSignal): Promise<void> {
  const { template, storage, sshKeys } = cloneOf(vm);
  if (sshKeys !== undefined) await publicKeys(pve, sshKeys);
  const notes = begunNotes(template, notesIn(await pve.read(vmPath(pve, template, "config"), signal)));
  const form = {
    newid: String(vm.id),
    name: vm.name,
    full: "1",
    description: notes,
    ...(storage === undefined ? {} : { storage }),
  };
  await pve.task({ method: "POST", path: vmPath(pve, template, "clone"), form }, patience, signal);
}

/**
 * The NICs and first addresses of the fleet, before it ever runs: Proxmox gives a clone MAC addresses of chance. NICs of
 * the template that the fleet does not have go, since this VM is ours from the start.
 */
export async function fillVm(pve: Pve, vm: VmDesired, signal?: AbortSignal): Promise<void> {
  const { sshKeys } = cloneOf(vm);
  const keys = sshKeys === undefined ? undefined : await publicKeys(pve, sshKeys);
  const config = await pve.read(vmPath(pve, vm.id, "config"), signal);
  const nets = vm.nics.map((nic, place) => [
    `net${place}`,
    formatNet(parseNet(textOf(config, `net${place}`) ?? ""), nic),
  ]);
  const addresses = vm.nics.flatMap(({ ipconfig }, place) =>
    ipconfig === undefined ? [] : [[`ipconfig${place}`, ipconfig] as const],
  );
  const gone = Object.keys(config).filter((key) => /^net\d+$/.test(key) && Number(key.slice(3)) >= vm.nics.length);
  await write(
    pve,
    vm,
    config,
    {
      ...Object.fromEntries(nets),
      ...Object.fromEntries(addresses),
      // Proxmox wants this one field encoded twice.
      ...(keys === undefined ? {} : { sshkeys: encodeURIComponent(keys) }),
      ...(gone.length === 0 ? {} : { delete: gone.join(",") }),
    },
    signal,
  );
}

/**
 * Started, and only then without the mark: one that died in between is begun still, and started by the next apply.
 * Rejects with E585 where it does not start; the change is confirmed then.
 */
export async function startVm(pve: Pve, vm: VmDesired, signal?: AbortSignal): Promise<void> {
  const { status } = await pve.read(vmPath(pve, vm.id, "status", "current"), signal);
  if (status !== "running")
    await pve.task({ method: "POST", path: vmPath(pve, vm.id, "status", "start"), form: {} }, 120_000, signal);
  const config = await pve.read(vmPath(pve, vm.id, "config"), signal);
  const notes = finishedNotes(config);
  await write(pve, vm, config, notes === "" ? { delete: "description" } : { description: notes }, signal);
}

async function write(
  pve: Pve,
  { id }: VmDesired,
  config: Row,
  form: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<void> {
  const digest = textOf(config, "digest");
  const all = { ...form, ...(digest === undefined ? {} : { digest }) };
  await pve.send({ method: "PUT", path: vmPath(pve, id, "config"), form: all }, signal);
}

function cloneOf({ name, clone }: VmDesired): NonNullable<VmDesired["clone"]> {
  if (clone === undefined) throw new RangeError(`nothing to make ${name} from`);
  return clone;
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
