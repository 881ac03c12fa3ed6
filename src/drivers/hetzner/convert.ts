import type { Item } from "../../change/item.ts";
import type { ProviderDesired } from "../../desired/desired.ts";
import type { Mac } from "../../net/mac.ts";
import type { Prefix } from "../../net/prefix.ts";
import type { RenderedFile } from "../driver.ts";

export function normalize({ prefix, mac }: ProviderDesired): readonly Item[] {
  return [routedTo(prefix, mac)];
}

export function routedTo(prefix: Prefix, mac: Mac): Item {
  return { key: `prefix ${prefix}`, value: { mac }, lane: "structure" };
}

/** The provider keeps no file. */
export function render(): readonly RenderedFile[] {
  return [];
}
