import { Option } from "commander";

/** `--prefix` of every verb that reads a fleet file. */
export function prefixOption(): Option {
  return new Option(
    "--prefix <prefix>",
    "the prefix in force, for a fleet whose provider changes it; else the file that the fleet names",
  );
}
