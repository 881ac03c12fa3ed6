import { judge } from "./suite.ts";
import { proxmoxTarget } from "./target-proxmox.ts";

await judge(proxmoxTarget);
