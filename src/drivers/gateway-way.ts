import { Failure } from "../base/failure.ts";
import type { Gateway } from "../fleet/fleet.ts";
import { readText } from "../runtime/files.ts";
import { type HttpOptions, httpAt, type Trust } from "../runtime/http.ts";
import { readSecret } from "../runtime/secret.ts";
import { sshShell } from "../runtime/shell-ssh.ts";
import type { ApiWay } from "../runtime/way.ts";

/** The way to a gateway with an API; undefined where the fleet file names none. Nothing is sent yet. */
export async function gatewayWay(gateway: Gateway): Promise<ApiWay | undefined> {
  const { name, api, exec } = gateway;
  if (api === undefined) return undefined;
  const http = httpAt({
    device: name,
    url: api.url,
    trust: await trustOf(gateway),
    headers: await headersOf(gateway),
  });
  const shell = exec === undefined ? undefined : sshShell(exec);
  return {
    name: http.name,
    http,
    ...(shell === undefined ? {} : { shell }),
    async reconnect() {
      await http.reconnect();
      await shell?.reconnect?.();
    },
  };
}

/** pfSense's REST API package takes a key of its own, OPNsense key and secret as name and password (RFC 7617). */
async function headersOf({ name, kind, api }: Gateway): Promise<HttpOptions["headers"]> {
  if (api === undefined) return {};
  const key = await readSecret(api.key, name);
  if (kind !== "opnsense" || api.secret === undefined) return { "x-api-key": key };
  const both = `${key}:${await readSecret(api.secret, name)}`;
  return { authorization: `Basic ${Buffer.from(both, "utf8").toString("base64")}` };
}

async function trustOf({ name, api }: Gateway): Promise<Trust> {
  if (api === undefined || api.tls.kind === "system") return { kind: "system" };
  if (api.tls.kind === "fingerprint") return api.tls;
  const { path } = api.tls;
  const pem = await readText(path);
  if (pem?.includes("-----BEGIN CERTIFICATE-----") === true) return { kind: "ca", pem };
  throw new Failure(
    "E551",
    name,
    `${path} ${pem === undefined ? "is not there" : "holds no certificate in PEM"}`,
    "put the authority's certificate there, or pin the device's own with api.tls.fingerprint",
  );
}
