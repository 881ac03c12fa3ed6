import { z } from "zod";
import { parseDuration } from "../base/duration.ts";
import { quote } from "../base/quote.ts";
import type { Seconds } from "../base/time.ts";
import { type Read, wrong } from "../base/wrong.ts";
import { closedPolicy } from "../openings/policy.ts";
import { type Field, field, kindOf, reference, textField } from "./field.ts";
import { address4Field, serviceField } from "./field-kinds.ts";
import { sourcesField, wordsField } from "./opening-schema.ts";

function readDuration(found: unknown): Read<Seconds> {
  const length = typeof found === "string" ? parseDuration(found) : undefined;
  if (length !== undefined) return { value: length };
  const meant = typeof found === "number" ? `write its unit too, ${found}s or ${found}m` : "write 90s, 30m, 2h or 7d";
  return wrong("E240", `Not a length of time: ${kindOf(found)}`, meant);
}

/** With or without registry, tag and digest. Nothing that a page or a terminal could misread. */
function readImage(text: string): Read<string> {
  return /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}$/.test(text)
    ? { value: text }
    : wrong("E241", `Not an image: ${quote(text)}`, "write it as `docker ps` shows it, with or without tag and digest");
}

const durationField: Field<Seconds> = field(readDuration, { type: "string", pattern: "^[1-9][0-9]{0,8}[smhd]$" });
const imageField: Field<string> = textField(readImage, { pattern: "^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}$" });
const portField = z.int().min(1).max(65_535);
const standard = closedPolicy;

const allow = z.strictObject({
  name: reference
    .optional()
    .describe("Its name: what an opening says it was granted by. Default: its place, allow[0] for the first."),
  hosts: wordsField("a host", 'write "*", or keys of hosts')
    .default(["*"])
    .describe('On which hosts: "*" for all, or keys of hosts. Default: all.'),
  ports: z
    .array(serviceField)
    .min(1)
    .describe("What may be opened: ports, ranges and ping, [80, 443/udp, 8000-8099, ping]. tcp unless said."),
  from: sourcesField.describe(
    "To whom it may be opened: any, a group, an IPv6 prefix or address, or a list of these. Who asks for more gets nothing.",
  ),
  for: durationField
    .optional()
    .describe(
      "The longest time it may be open, counted from the first sighting of the container: 90s, 30m, 8h, 7d. Who names no time gets this one. Default: as long as the container runs.",
    ),
  by: z
    .enum(["labels", "people", "anyone"])
    .default("anyone")
    .describe(
      "Who may use the rule. labels: containers, by their sixgate.* labels. people: operators, through API and command line. Default: anyone, both of them.",
    ),
});

const limits = z.strictObject({
  "per-container": z
    .int()
    .min(1)
    .max(4_096)
    .default(standard.limits.perContainer)
    .describe("How many openings one container may have: services times addresses. Default: 16."),
  "per-host": z
    .int()
    .min(1)
    .max(65_536)
    .default(standard.limits.perHost)
    .describe("How many openings one host may have, those of people included. Default: 256."),
  lease: durationField
    .default(standard.limits.lease)
    .describe("The longest time that a person may open something for. Default: 7d.")
    .meta({ default: "7d" }),
});

export const policyEntry = z.strictObject({
  "between-hosts": z
    .enum(["open", "closed"])
    .default("closed")
    .describe(
      "Whether hosts and their containers reach each other through the gateway without an opening. Default: closed.",
    ),
  egress: z.enum(["open", "closed"]).default("open").describe("Whether containers reach the Internet. Default: open."),
  allow: z
    .array(allow)
    .default([])
    .describe(
      "What may be opened by labels and people: the first rule that covers a request grants it. Default: nothing.",
    ),
  never: z
    .array(serviceField)
    .default([])
    .describe("Ports that are never opened, whatever a rule says and whoever asks: [22, 3389]. Default: none."),
  limits: limits.prefault({}).describe("How much may be opened at most."),
  "stale-after": durationField
    .default(standard.staleAfter)
    .describe(
      "How long a host may be silent before its containers' openings are closed: 1h. A silent host keeps what is open until then, and gets nothing new. Default: 1h.",
    )
    .meta({ default: "1h" }),
  "trust-images": z
    .array(imageField)
    .default([])
    .describe(
      "Images whose own labels count, as `docker ps` shows them, with or without tag and digest, or by their id (sha256:…). Labels of all other images open nothing. Default: none.",
    ),
});

export const controllerEntry = z.strictObject({
  address: address4Field
    .optional()
    .describe(
      "The IPv4 address on the management network of the machine that it runs on, beside a gateway of kind pfsense or opnsense: agents, people and programs reach it there. Default: none; it runs on an nftables gateway itself.",
    ),
  "agent-port": portField.default(6464).describe("The TCP port that the hosts' agents connect to. Default: 6464."),
  "api-port": portField
    .default(6465)
    .describe("The TCP port of the API and the page, open to gateway.admins only. Default: 6465."),
});
