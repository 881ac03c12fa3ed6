import { z } from "zod";
import { quote } from "../base/quote.ts";
import { type Read, wrong } from "../base/wrong.ts";
import { type Field, field, textField } from "./field.ts";
import { pathField } from "./field-kinds.ts";
import type { SecretSource } from "./fleet.ts";

// How a device with an API is reached. Secrets are named, never written down: what is refused here is not repeated in
// the message, since it may well be one.

const urlFix = "write https://ADDRESS or https://NAME, with a port where it is not 443, and nothing behind it";

function readUrl(text: string): Read<string> {
  if (!URL.canParse(text)) return wrong("E270", `Not a URL: ${quote(text)}`, urlFix);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    return wrong("E271", "The URL holds a name or a password", "name the secrets with key: and secret:");
  if (!/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "" || url.hash !== "")
    return wrong("E270", `Not a device's URL: ${quote(text)}`, urlFix);
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || here
    ? { value: url.origin }
    : wrong(
        "E270",
        `Not encrypted: ${quote(text)}`,
        "write https://; http:// is for a tunnel's end on this machine only",
      );
}

const secretFix = "write env:NAME, file:/PATH or credential:NAME, and keep the secret there";

function readSecretSource(text: string): Read<SecretSource> {
  const [, kind, name = ""] = /^(env|file|credential):(.+)$/s.exec(text) ?? [];
  if (kind === "env" && /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) return { value: { kind, name } };
  if (kind === "credential" && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name)) return { value: { kind, name } };
  if (kind === "file" && /^\/\P{Cc}{1,4000}$/u.test(name)) return { value: { kind, path: name } };
  return wrong("E271", "Not a place where a secret is", secretFix);
}

function readFingerprint(text: string): Read<string> {
  const digits = text.replace(/^sha-?256[:=]/i, "").replaceAll(":", "");
  return /^[0-9A-Fa-f]{64}$/.test(digits)
    ? { value: digits.toUpperCase() }
    : wrong(
        "E272",
        `Not a SHA-256 fingerprint: ${quote(text)}`,
        "write its 64 hex digits, as `openssl x509 -noout -fingerprint -sha256` prints them",
      );
}

/** `ssh` takes the target as one word; it may not begin with a dash. */
function readExec(text: string): Read<string> {
  const target = /^ssh:([A-Za-z0-9_][A-Za-z0-9_.@:[\]-]*)$/.exec(text)?.[1];
  return target === undefined
    ? wrong("E276", `Not a shell over ssh: ${quote(text)}`, "write ssh:user@host")
    : { value: target };
}

const urlField: Field<string> = textField(readUrl, { pattern: "^https?://" });
/** A number or a map in its place is not shown either. */
const secretField: Field<SecretSource> = field((found) => readSecretSource(typeof found === "string" ? found : ""), {
  type: "string",
  pattern: "^(env|file|credential):.",
});
const fingerprintField: Field<string> = textField(readFingerprint);
export const execField: Field<string> = textField(readExec, { pattern: "^ssh:." });

const tls = z.strictObject({
  fingerprint: fingerprintField
    .optional()
    .describe("SHA-256 of the device's own certificate: nothing else is believed. For certificates it made itself."),
  ca: pathField
    .optional()
    .describe("Absolute path of the authority's certificate (PEM). The device's name is checked against the URL."),
});

/** For gateways, and for whatever else has an API. */
export const apiEntry = z.strictObject({
  url: urlField.describe("Where its web server listens: https://10.10.10.2."),
  key: secretField.describe(
    "Where the API key is: env:NAME, file:/PATH (readable by its owner only) or credential:NAME (systemd). Never the key itself.",
  ),
  secret: secretField
    .optional()
    .describe("Where the key's secret is, in the same way. OPNsense has one, pfSense has not. Default: none."),
  tls: tls
    .optional()
    .describe("How the device proves who it is. Default: by a certificate that this machine's authorities vouch for."),
});
