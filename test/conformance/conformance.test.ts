import { judges } from "./targets.ts";

for (const judged of judges) await judged();
