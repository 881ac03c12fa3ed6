import "reflect-metadata";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import { mkdir, open, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { fingerprintOf } from "../agent/connect.ts";
import { controllerName, hostUri } from "../agent/wire.ts";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { type Instant, instant } from "../base/time.ts";
import { readText, writeText } from "../runtime/files.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
x509.cryptoProvider.set(webcrypto);

const hour = 3_600_000;
/** Certificates begin before they are made, so that a clock that is slow by less can still use them. */
function backdated(lasts: number): number {
  return Math.min(hour, lasts / 10);
}

const year = 365 * 24 * hour;
const authorityYears = 20;
const keyFile = "authority.key";
const certificateFile = "authority.crt";
/** What a backup of the folder has to hold. */
export const authorityFiles: readonly string[] = [keyFile, certificateFile];

export type Issued = { readonly certificate: string; readonly serial: string; readonly ends: Instant };

/** What TLS needs of a side, in PEM. `certificate` is followed by the authority's own. */
export type ServerIdentity = { readonly key: string; readonly certificate: string; readonly ends: Instant };

/**
 * The fleet's own certificate authority (P-256). It signs certificates of agents and of the controller's inbox, and
 * nothing else trusts it. Its key lies in the controller's state folder and never leaves it.
 */
export type Authority = {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 over the certificate's DER, base64url: what a join token carries. */
  readonly fingerprint: string;
  /** A client certificate for a public key (SPKI, DER). Throws a RangeError where that is no key of P-256. */
  issueForHost(host: HostName, key: Buffer, lasts: number): Promise<Issued>;
  /** A key and a certificate for the inbox. `names`: how agents may reach it, as DNS names or addresses. */
  issueForController(names: readonly string[], lasts: number): Promise<ServerIdentity>;
};

/**
 * Opens the authority in a folder, or makes one where there is none. Rejects with E920 where only half of it is there,
 * or where others may read the key: a second authority is never made over a first.
 */
export async function openAuthority(folder: string, clock: () => Instant): Promise<Authority> {
  const [key, certificate] = [await readText(join(folder, keyFile)), await readText(join(folder, certificateFile))];
  if (key === undefined && certificate === undefined) return madeAuthority(folder, clock);
  if (key === undefined || certificate === undefined)
    throw broken(folder, `${key === undefined ? keyFile : certificateFile} is missing`);
  if (((await stat(join(folder, keyFile))).mode & 0o077) !== 0)
    throw broken(folder, `Others may read ${keyFile}`, `chmod 600 ${join(folder, keyFile)}, and ask who read it`);
  try {
    return authorityOf(createPrivateKey(key), certificate, clock);
  } catch (cause) {
    throw broken(folder, cause instanceof Error ? cause.message : String(cause));
  }
}

function broken(folder: string, text: string, fix?: string): Failure {
  const standard = "bring both files back from a backup; or remove both, and enrol every host again";
  return new Failure("E920", folder, text, fix ?? standard);
}

/** A private key as certificates are signed with it. */
function signing(key: KeyObject): webcrypto.CryptoKey {
  return key.toCryptoKey(algorithm, false, ["sign"]);
}

function newKey(): { readonly own: KeyObject; readonly open: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return { own: privateKey, open: publicKey };
}

function pemOf(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

async function madeAuthority(folder: string, clock: () => Instant): Promise<Authority> {
  const { own, open } = newKey();
  const publicKey = open.toCryptoKey(algorithm, true, ["verify"]);
  const now = clock();
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=sixgate authority ${randomBytes(4).toString("hex")}`,
    notBefore: new Date(now - backdated(authorityYears * year)),
    notAfter: new Date(now + authorityYears * year),
    signingAlgorithm: algorithm,
    keys: { privateKey: signing(own), publicKey },
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  const certificate = `${made.toString("pem")}\n`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeNewKey(join(folder, keyFile), pemOf(own));
  await writeText(join(folder, certificateFile), certificate, 0o644);
  return authorityOf(own, certificate, clock);
}

/** Never over a key that is there: two controllers that start at once must not end with one's key and the other's certificate. */
async function writeNewKey(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** 128 random bits, the first of them 0 and the second 1, so that it is positive and always as long. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

/** What differs between the certificates of the two sides. */
type Wish = {
  readonly name: string;
  readonly key: KeyObject;
  readonly lasts: number;
  readonly usage: x509.ExtendedKeyUsage;
  readonly names: x509.JsonGeneralNames;
};

async function issue(own: x509.X509Certificate, key: KeyObject, wish: Wish, now: Instant): Promise<Issued> {
  const [serial, ends] = [newSerial(), instant(now + wish.lasts)];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: `CN=${wish.name}`,
    issuer: own.subject,
    notBefore: new Date(now - backdated(wish.lasts)),
    notAfter: new Date(ends),
    signingAlgorithm: algorithm,
    publicKey: wish.key.toCryptoKey(algorithm, true, ["verify"]),
    signingKey: signing(key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([wish.usage], true),
      new x509.SubjectAlternativeNameExtension(wish.names),
      await x509.AuthorityKeyIdentifierExtension.create(own),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, serial, ends };
}

/** Throws where key and certificate are not an authority's, or not a pair. */
function authorityOf(key: KeyObject, certificate: string, clock: () => Instant): Authority {
  const read = new X509Certificate(certificate);
  if (!read.ca) throw new Error(`${certificateFile} is not an authority's`);
  if (!read.checkPrivateKey(key)) throw new Error(`${keyFile} and ${certificateFile} don't belong together`);
  const own = new x509.X509Certificate(read.raw);
  return {
    certificate,
    fingerprint: fingerprintOf(read.raw),
    async issueForHost(host, spki, lasts) {
      const names: x509.JsonGeneralNames = [{ type: "url", value: hostUri(host) }];
      const wish = { name: host, key: publicKeyOf(spki), lasts, usage: x509.ExtendedKeyUsage.clientAuth, names };
      return issue(own, key, wish, clock());
    },
    async issueForController(names, lasts) {
      const pair = newKey();
      const alternatives: x509.JsonGeneralNames = [
        { type: "url", value: controllerName },
        ...names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
      ];
      const usage = x509.ExtendedKeyUsage.serverAuth;
      const wish = { name: "sixgate controller", key: pair.open, lasts, usage, names: alternatives };
      const issued = await issue(own, key, wish, clock());
      return { key: pemOf(pair.own), certificate: issued.certificate + certificate, ends: issued.ends };
    },
  };
}

/** Throws a RangeError where it is no public key of P-256, in DER. */
export function publicKeyOf(spki: Buffer): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: spki, format: "der", type: "spki" });
  } catch (cause) {
    throw new RangeError("Not a public key", { cause });
  }
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new RangeError("Not a key of P-256");
  return key;
}
