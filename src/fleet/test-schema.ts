import { z } from "zod";
import { wrong } from "../base/wrong.ts";
import type { Service } from "../openings/opening.ts";
import { type Field, field, kindOf, textField } from "./field.ts";
import { readService, serviceField } from "./field-kinds.ts";

const word = textField((text) => ({ value: text }));

const closedField: Field<"all" | readonly Service[]> = field<"all" | readonly Service[]>(
  (found) => {
    if (found === "all") return { value: "all" };
    if (!Array.isArray(found))
      return wrong("E112", `Expected all or a list, found ${kindOf(found)}`, "write all, or [22, 5432]");
    const services: Service[] = [];
    for (const each of found as readonly unknown[]) {
      const read = readService(each);
      if (!("value" in read)) return read;
      services.push(read.value);
    }
    return { value: services };
  },
  { anyOf: [{ const: "all" }, { type: "array", items: { anyOf: [{ type: "integer" }, { type: "string" }] } }] },
);

/** One entry of `tests:`. */
export const testEntry = z.strictObject({
  from: word.describe(
    "Where it is asked from: internet (anybody who is in no group), a group, management, a host, or host/container.",
  ),
  to: word.describe("host/container with a container of that host's containers, or an address inside a host's block."),
  open: z
    .array(serviceField)
    .default([])
    .describe("What has to be open from there: [80, 443/udp, ping]. Default: nothing."),
  closed: closedField
    .default([])
    .describe("What has to be closed from there: a list, or all for everything but what open names. Default: nothing."),
});
