import { judge } from "./suite.ts";
import { opnsenseTarget } from "./target-opnsense.ts";

await judge(opnsenseTarget);
