import { formatPortRange } from "../net/port.ts";
import type { Service } from "./opening.ts";

/** `443/tcp`, `8000-8099/udp` or `ping`: as people read it. The transport always stands there. */
export function formatService(service: Service): string {
  return service.kind === "ping" ? "ping" : `${formatPortRange(service.ports)}/${service.transport}`;
}
