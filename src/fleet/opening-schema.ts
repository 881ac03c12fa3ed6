import { z } from "zod";
import { wrong } from "../base/wrong.ts";
import { type Field, field, kindOf, textField } from "./field.ts";
import { serviceField } from "./field-kinds.ts";

const word = textField((text) => ({ value: text }));

/** A list of texts, or one text that stands for a list of one. Never empty. */
export function wordsField(one: string, fix: string): Field<readonly string[]> {
  return field(
    (found) => {
      const list: readonly unknown[] = Array.isArray(found) ? found : [found];
      if (list.length === 0) return wrong("E112", `Expected ${one}, found an empty list`, fix);
      const strange = list.find((each) => typeof each !== "string");
      return strange === undefined
        ? { value: list.map(String) }
        : wrong("E112", `Expected ${one}, found ${kindOf(strange)}`, fix);
    },
    { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" }, minItems: 1 }] },
  );
}

export const sourcesField: Field<readonly string[]> = wordsField("a source", "write any, groups or IPv6 prefixes");

/** One entry of `openings:`. */
export const openingEntry = z.strictObject({
  to: word.describe("host/container with a container of that host's containers, or an address inside a host's block."),
  ports: z
    .array(serviceField)
    .min(1)
    .describe("Ports, ranges and ping: [80, 443/udp, 8000-8099, ping]. tcp unless said."),
  from: sourcesField.describe("any, a group, an IPv6 prefix or address, or a list of these."),
});
