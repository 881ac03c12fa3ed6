import { expect, test } from "vitest";
import { netplan } from "../../../src/drivers/netplan/driver.ts";
import { guests } from "../guests.ts";

for (const [name, desired] of guests("netplan")) {
  test(`netplan render ${name}`, async () => {
    for (const { path, text } of netplan.render(desired)) await expect(text).toMatchFileSnapshot(`./${name}${path}`);
  });
  test(`netplan audit ${name} finds nothing`, () => {
    expect(netplan.audit(desired)).toEqual([]);
  });
  test(`netplan normalize ${name} has every key once, in order`, () => {
    const keys = netplan.normalize(desired).map(({ key }) => key);
    expect(keys).toEqual([...new Set(keys)].sort());
  });
}
