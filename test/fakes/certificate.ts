import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

// X.509 certificates (RFC 5280) for servers of the tests: just enough DER to make them, without a library or a program.

/** A key and its certificate in PEM, and the fingerprint as the fleet file has it. */
export type Certified = { readonly key: string; readonly cert: string; readonly sha256: string };
export type Authority = { readonly pem: string; readonly key: KeyObject; readonly name: string };

type Wish = { readonly name: string; readonly by?: Authority; readonly expired?: boolean };

/** A certificate for 127.0.0.1 and localhost: its own authority, as firewalls make them, or signed by `by`. */
export function certificate({ name, by, expired = false }: Wish): Certified {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // subjectAltName: iPAddress [7], dNSName [2].
  const names = der(0x30, der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from("localhost")));
  const made = signed(
    { subject: name, issuer: by?.name ?? name, publicKey, extension: { oid: "551d11", value: names }, expired },
    by?.key ?? privateKey,
  );
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: pem(made),
    sha256: createHash("sha256").update(made).digest("hex").toUpperCase(),
  };
}

export function authority(name: string): Authority {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // basicConstraints: cA TRUE.
  const constraints = der(0x30, der(0x01, Buffer.from([0xff])));
  const made = signed(
    { subject: name, issuer: name, publicKey, extension: { oid: "551d13", value: constraints }, expired: false },
    privateKey,
  );
  return { pem: pem(made), key: privateKey, name };
}

type Content = {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly extension: { readonly oid: string; readonly value: Buffer };
  readonly expired: boolean;
};

function signed({ subject, issuer, publicKey, extension, expired }: Content, by: KeyObject): Buffer {
  const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from("2a8648ce3d040302", "hex")));
  const day = 86_400_000;
  const valid = der(0x30, time(Date.now() - 10 * day), time(Date.now() + (expired ? -day : day)));
  const extensions = der(0x30, der(0x30, der(0x06, Buffer.from(extension.oid, "hex")), der(0x04, extension.value)));
  const content = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    named(issuer),
    valid,
    named(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  return der(0x30, content, ecdsaWithSha256, der(0x03, Buffer.from([0]), sign("sha256", content, by)));
}

/** A distinguished name of a common name alone. */
function named(text: string): Buffer {
  const commonName = der(0x30, der(0x06, Buffer.from("550403", "hex")), der(0x0c, Buffer.from(text)));
  return der(0x30, der(0x31, commonName));
}

/** GeneralizedTime is for 2050 and later only; until then UTCTime (RFC 5280 §4.1.2.5). */
function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(0x17, Buffer.from(digits.slice(2)));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function pem(content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
