import { Failure } from "../base/failure.ts";
import type { Api } from "../fleet/fleet.ts";
import { readText } from "../runtime/files.ts";
import { type HttpOptions, httpAt, type Trust } from "../runtime/http.ts";
import { readSecret } from "../runtime/secret.ts";
import { sshShell } from "../runtime/shell-ssh.ts";
import type { ApiWay } from "../runtime/way.ts";

type Wish = {
  readonly device: string;
  readonly api: Api;
  readonly headers: HttpOptions["headers"];
  /** What ssh takes: a shell beside the API. */
  readonly exec?: string;
};

/** The way to a device with an API. Nothing is sent yet. */
export async function apiWay({ device, api, headers, exec }: Wish): Promise<ApiWay> {
  const http = httpAt({ device, url: api.url, trust: await trustOf(device, api), headers });
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

/** Proxmox: a token, whole, in its own header. */
export async function proxmoxWay(device: string, api: Api, exec?: string): Promise<ApiWay> {
  const token = await readSecret(api.key, device);
  return apiWay({
    device,
    api,
    headers: { authorization: `PVEAPIToken=${token}` },
    ...(exec === undefined ? {} : { exec }),
  });
}

/** Robot: name and password (RFC 7617). */
export async function robotWay(device: string, api: Api): Promise<ApiWay> {
  const password = api.secret === undefined ? "" : await readSecret(api.secret, device);
  const both = `${await readSecret(api.key, device)}:${password}`;
  return apiWay({ device, api, headers: { authorization: `Basic ${Buffer.from(both, "utf8").toString("base64")}` } });
}

async function trustOf(name: string, api: Api): Promise<Trust> {
  if (api.tls.kind === "system") return { kind: "system" };
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
