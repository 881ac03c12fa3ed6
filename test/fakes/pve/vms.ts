import { createHash, randomBytes } from "node:crypto";

/** A VM of the fake node. */
export type FakeVm = {
  name: string;
  running: boolean;
  template: boolean;
  /** What keeps everybody else from changing it: `clone` while it is copied. */
  lock?: "clone";
  config: Record<string, string>;
  /** Of a running VM: what is not in force before its restart. */
  pending: Record<string, string | undefined>;
  /** Whether a NIC can be changed while it runs. */
  hotplug: boolean;
  firewall: Record<string, string>;
  sets: Map<string, { cidr: string; nomatch: boolean }[]>;
};

export type Done =
  | { readonly kind: "data"; readonly data: unknown }
  /** Done when the task ends: `end` is called with whether it went well. */
  | { readonly kind: "task"; readonly name: string; readonly end: (well: boolean) => void; readonly wrong?: string }
  | { readonly kind: "refused"; readonly status: number; readonly text: string };

export function fakeVm(name: string, config: Record<string, string> = {}): FakeVm {
  return { name, running: false, template: false, config, pending: {}, hotplug: true, firewall: {}, sets: new Map() };
}

const data = (value: unknown): Done => ({ kind: "data", data: value });
const refused = (status: number, text: string): Done => ({ kind: "refused", status, text });

/** What the node does with /qemu/…. */
export function answerVm(
  vms: Map<number, FakeVm>,
  method: string,
  parts: readonly string[],
  form: Record<string, string>,
): Done {
  const [id = "", what = "", more = "", name, entry] = parts;
  const vm = vms.get(Number(id));
  if (vm === undefined) return refused(500, `Configuration file 'nodes/pve/qemu-server/${id}.conf' does not exist`);
  if (what === "clone") return clone(vms, vm, form);
  if (vm.lock !== undefined && method !== "GET") return refused(500, `VM is locked (${vm.lock})`);
  if (what === "status" && more === "current")
    return data({ vmid: Number(id), status: vm.running ? "running" : "stopped" });
  if (what === "status" && more === "start") {
    const wrong = vm.running ? { wrong: `VM ${id} already running` } : {};
    return { kind: "task", name: "qmstart", end: (well) => void (vm.running ||= well), ...wrong };
  }
  if (what === "pending")
    return data([
      ...Object.entries(vm.config).map(([key, value]) => ({ key, value })),
      ...Object.entries(vm.pending).map(([key, pending]) => ({ key, pending })),
    ]);
  if (what === "config") return config(vm, method, form);
  if (what === "firewall" && more === "options") return options(vm, method, form);
  if (what === "firewall" && more === "ipset") return ipset(vm, method, name, entry, form);
  return refused(501, `Method '${method} ${what}' not implemented`);
}

function clone(vms: Map<number, FakeVm>, template: FakeVm, form: Record<string, string>): Done {
  const id = Number(form["newid"]);
  if (vms.has(id)) return refused(500, `unable to create VM ${id}: config file already exists`);
  const made = fakeVm(form["name"] ?? `vm${id}`, {});
  // Always a new MAC: the source says so itself.
  for (const [key, value] of Object.entries(template.config))
    made.config[key] = /^net\d/.test(key) ? value.replace(/=([0-9A-F]{2}:){5}[0-9A-F]{2}/i, `=${randomMac()}`) : value;
  if (form["description"] !== undefined) made.config["description"] = form["description"];
  // While the disks are copied there is a number, and nothing else: no name, no notes of its own.
  const { name, config } = made;
  vms.set(
    id,
    Object.assign(made, { name: `VM ${id}`, config: { description: "qmclone temporary file" }, lock: "clone" }),
  );
  const end = (well: boolean): void => {
    if (!well) vms.delete(id);
    Object.assign(made, { name, config });
    delete made.lock;
  };
  return { kind: "task", name: "qmclone", end };
}

function randomMac(): string {
  return `BC:24:11:${randomBytes(3).toString("hex").toUpperCase().match(/../g)?.join(":")}`;
}

function digestOf(vm: FakeVm): string {
  return createHash("sha1")
    .update(JSON.stringify([vm.config, vm.pending]))
    .digest("hex");
}

function config(vm: FakeVm, method: string, form: Record<string, string>): Done {
  const now = { ...vm.config, ...vm.pending };
  if (method === "GET") return data({ ...now, digest: digestOf(vm) });
  const { delete: gone, digest, ...rest } = form;
  if (digest !== undefined && digest !== digestOf(vm))
    return refused(500, "detected modified configuration - file changed by other user? Try again.");
  for (const key of (gone ?? "").split(",").filter(Boolean)) {
    delete vm.config[key];
    delete vm.pending[key];
  }
  for (const [key, value] of Object.entries(rest)) {
    // A NIC without a MAC gets one of chance.
    const said =
      /^net\d/.test(key) && !/([0-9A-F]{2}:){5}[0-9A-F]{2}/i.test(value) ? `virtio=${randomMac()},${value}` : value;
    // Set to what is in force, nothing waits any more.
    if (vm.running && !vm.hotplug && vm.config[key] !== said) vm.pending[key] = said;
    else {
      vm.config[key] = said;
      delete vm.pending[key];
    }
  }
  return data(null);
}

function options(vm: FakeVm, method: string, form: Record<string, string>): Done {
  if (method === "GET") return data({ ...vm.firewall, digest: "d" });
  const { delete: gone, digest: _digest, ...rest } = form;
  for (const key of (gone ?? "").split(",").filter(Boolean)) delete vm.firewall[key];
  Object.assign(vm.firewall, rest);
  return data(null);
}

function ipset(
  vm: FakeVm,
  method: string,
  name: string | undefined,
  entry: string | undefined,
  form: Record<string, string>,
): Done {
  if (name === undefined) {
    if (method === "GET") return data([...vm.sets.keys()].map((each) => ({ name: each, digest: "d" })));
    if (vm.sets.has(form["name"] ?? "")) return refused(500, `IPSet '${form["name"]}' already exists`);
    vm.sets.set(form["name"] ?? "", []);
    return data(null);
  }
  const set = vm.sets.get(name);
  if (set === undefined) return refused(500, `no such IPSet '${name}'`);
  if (method === "GET") return data(set.map(({ cidr, nomatch }) => ({ cidr, ...(nomatch ? { nomatch: 1 } : {}) })));
  if (method === "POST") {
    // A single address loses its length.
    set.push({ cidr: (form["cidr"] ?? "").replace(/\/128$/, ""), nomatch: form["nomatch"] === "1" });
    return data(null);
  }
  if (entry === undefined) {
    if (set.length > 0 && form["force"] !== "1") return refused(500, "set is not empty");
    vm.sets.delete(name);
    return data(null);
  }
  vm.sets.set(
    name,
    set.filter(({ cidr }) => cidr !== entry),
  );
  return data(null);
}
