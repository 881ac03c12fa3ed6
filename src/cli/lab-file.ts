import { fileURLToPath } from "node:url";

/** What the lab runs unless another file is named. */
export function labFile(): string {
  return fileURLToPath(new URL("../../examples/lab.yaml", import.meta.url));
}
