import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { type Instant, instant } from "../base/time.ts";
import { readText, writeText } from "../runtime/files.ts";
import { hostOfNames, proofText } from "./wire.ts";

/** Where the controller listens. `host`: a DNS name or an address without brackets. */
export type ControllerAt = { readonly host: string; readonly port: number };

/** All that an agent needs to speak for its host. */
export type Identity = {
  readonly host: HostName;
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
  /** The controller's authority, PEM: nobody else is believed. */
  readonly authority: string;
  readonly controller: ControllerAt;
  /** When the certificate begins and ends. */
  readonly begins: Instant;
  readonly ends: Instant;
};

/** Key and certificate in one file, so that a renewal replaces both or none. */
const pairFile = "identity.pem";
const authorityFile = "authority.pem";
const controllerFile = "controller.json";

const controllerAt = z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) });

const keyPattern = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/;
const certificatePattern = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/;

function broken(folder: string, text: string): Failure {
  return new Failure(
    "E923",
    folder,
    text,
    "enrol this host: `sixgate invite HOST` on the controller, then `sixgate enrol` here",
  );
}

/** Rejects with E923 where the host is not enrolled, or the folder doesn't hold together. */
export async function readIdentity(folder: string): Promise<Identity> {
  const [pair, authority, at] = await Promise.all(
    [pairFile, authorityFile, controllerFile].map((name) => readText(join(folder, name))),
  );
  if (pair === undefined || authority === undefined || at === undefined)
    throw broken(folder, "This host is not enrolled");
  const mode = (await stat(join(folder, pairFile))).mode & 0o077;
  if (mode !== 0) throw broken(folder, `Others may read ${pairFile}`);
  const [key, certificate] = [keyPattern.exec(pair)?.[0], certificatePattern.exec(pair)?.[0]];
  try {
    if (key === undefined || certificate === undefined) throw new Error(`${pairFile} has no key or no certificate`);
    return { key, certificate, authority, controller: controllerAt.parse(JSON.parse(at)), ...factsOf(certificate) };
  } catch (cause) {
    throw broken(folder, cause instanceof Error ? cause.message : String(cause));
  }
}

/** What the certificate says of itself. Throws where it is not a host's. */
function factsOf(certificate: string): Pick<Identity, "host" | "begins" | "ends"> {
  const read = new X509Certificate(certificate);
  const host = hostOfNames(read.subjectAltName);
  if (host === undefined) throw new Error("The certificate is not a host's");
  return { host, begins: instant(Date.parse(read.validFrom)), ends: instant(Date.parse(read.validTo)) };
}

/** Readable for its owner only. */
export async function writePair(
  folder: string,
  pair: { readonly key: string; readonly certificate: string },
): Promise<void> {
  await writeText(join(folder, pairFile), `${pair.key.trimEnd()}\n${pair.certificate.trimEnd()}\n`, 0o600);
}

/** The whole of it, the pair last: without it nothing counts. */
export async function writeIdentity(
  folder: string,
  identity: Pick<Identity, "key" | "certificate" | "authority" | "controller">,
): Promise<void> {
  await writeText(join(folder, authorityFile), identity.authority);
  await writeText(join(folder, controllerFile), `${JSON.stringify(identity.controller)}\n`);
  await writePair(folder, identity);
}

/** A new key that is not in use yet. */
export type FreshKey = {
  /** PEM. */
  readonly key: string;
  /** SPKI in DER, base64. */
  readonly open: string;
  /** Shows to the other end of a connection that we have it. `exported`: the connection's keying material. */
  prove(purpose: "enrol" | "renew", exported: Buffer): string;
};

export function freshKey(): FreshKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return {
    key: pemOf(privateKey),
    open: publicKey.export({ format: "der", type: "spki" }).toString("base64"),
    prove: (purpose, exported) => sign("sha256", proofText(purpose, exported), privateKey).toString("base64"),
  };
}

function pemOf(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}
