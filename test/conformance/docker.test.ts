import { judge } from "./suite.ts";
import { dockerTarget } from "./target-docker.ts";

await judge(dockerTarget);
