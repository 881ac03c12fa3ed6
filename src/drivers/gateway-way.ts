import type { Gateway } from "../fleet/fleet.ts";
import type { HttpOptions } from "../runtime/http.ts";
import { readSecret } from "../runtime/secret.ts";
import type { ApiWay } from "../runtime/way.ts";
import { apiWay } from "./api-way.ts";

/** The way to a gateway with an API; undefined where the fleet file names none. Nothing is sent yet. */
export async function gatewayWay(gateway: Gateway): Promise<ApiWay | undefined> {
  const { name, api, exec } = gateway;
  if (api === undefined) return undefined;
  return apiWay({ device: name, api, headers: await headersOf(gateway), ...(exec === undefined ? {} : { exec }) });
}

/** pfSense's REST API package takes a key of its own, OPNsense key and secret as name and password (RFC 7617). */
async function headersOf({ name, kind, api }: Gateway): Promise<HttpOptions["headers"]> {
  if (api === undefined) return {};
  const key = await readSecret(api.key, name);
  if (kind !== "opnsense" || api.secret === undefined) return { "x-api-key": key };
  const both = `${key}:${await readSecret(api.secret, name)}`;
  return { authorization: `Basic ${Buffer.from(both, "utf8").toString("base64")}` };
}
