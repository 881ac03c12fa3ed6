import { judge } from "./suite.ts";
import { hetznerTarget } from "./target-hetzner.ts";

await judge(hetznerTarget);
