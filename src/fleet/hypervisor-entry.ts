import { z } from "zod";
import { quote } from "../base/quote.ts";
import { wrong } from "../base/wrong.ts";
import { apiEntry, execField } from "./api-entry.ts";
import { nameKey, reference, textField } from "./field.ts";
import { address4Field, deviceField, interfaceAddress4Field, pathField, reachField } from "./field-kinds.ts";

// A hypervisor, its bridges and the VMs on it.

const bridge = z.strictObject({
  network: reference.describe("The network that it carries, a key of networks."),
  port: deviceField.optional().describe("The physical interface in it. Default: none, only VMs share it."),
  ipv4: interfaceAddress4Field
    .optional()
    .describe("The hypervisor's own address on it, with length. /32 where the gateway is on-link by decree."),
  gateway: address4Field.optional().describe("The hypervisor's IPv4 default gateway."),
  comment: textField((text) =>
    text.length <= 200 && !/[\r\n]/.test(text)
      ? { value: text }
      : wrong("E112", "Comment is not one line of at most 200 characters", "shorten it"),
  )
    .optional()
    .describe("A line for people, kept in the rendered file."),
});

const deviceKey = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,14}$/);

/** Only NICs, their filter and, of a clone, the first start are ever set; never disks, and no VM is ever removed. */
const vm = z.strictObject({
  id: z.int().min(100).max(999_999_999).describe("The VM's number in Proxmox."),
  nics: z
    .array(z.enum(["uplink", "management", "hosts"]))
    .optional()
    .describe(
      "Which NIC is net0, net1 and so on; a host's public NIC is hosts. Default: in the order of the bridges' names.",
    ),
  clone: z
    .int()
    .min(100)
    .max(999_999_999)
    .optional()
    .describe(
      "Number of the template that the VM is made from where it is not there yet. Default: none, it has to be there.",
    ),
  storage: reference.optional().describe("Where the clone's disks go. Default: where the template's are."),
  "cloud-init": z
    .boolean()
    .default(false)
    .describe("Whether addresses for the first start are given by cloud-init (ipconfig0 and so on). Default: false."),
  "ssh-keys": pathField
    .optional()
    .describe("Absolute path of a file with public SSH keys, given to a new clone by cloud-init. Default: none."),
  "anti-spoofing": z
    .boolean()
    .default(false)
    .describe(
      "Whether Proxmox's own firewall lets out of the host's public NIC only addresses of its block: a second ring. Default: false.",
    ),
});

export const hypervisorEntry = z.strictObject({
  kind: z
    .enum(["proxmox", "ifupdown"])
    .describe("proxmox: Proxmox VE. ifupdown: the same /etc/network/interfaces on any Debian."),
  reach: reachField
    .default({ kind: "none" })
    .describe("How sixgate gets at it: none (files are only rendered), local, or ssh:user@host. Default: none.")
    .meta({ default: "none" }),
  api: apiEntry
    .optional()
    .describe(
      "How the API of Proxmox VE is reached, in place of reach. Default: none, its file is written over reach.",
    ),
  node: textField((text) =>
    /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(text)
      ? { value: text }
      : wrong("E113", `Not the name of a node: ${quote(text)}`, "write it as Proxmox shows it"),
  )
    .optional()
    .describe("The node's name in its Proxmox cluster. Default: the hypervisor's name."),
  exec: execField
    .optional()
    .describe(
      "A root shell on the node, ssh:root@host, beside the API: for the dead-man and for what the API can't say. Default: none.",
    ),
  vms: z
    .record(nameKey, vm)
    .default({})
    .describe("VMs whose NICs sixgate sets, by the machine that runs in them. Only with api. Default: none."),
  bridges: z.record(deviceKey, bridge).describe("Its bridges by the kernel's name."),
});
