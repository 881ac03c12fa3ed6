import { expect, test } from "vitest";
import { networkd } from "../../../src/drivers/networkd/driver.ts";
import { guests } from "../guests.ts";

for (const [name, desired] of guests("networkd")) {
  test(`networkd render ${name}`, async () => {
    for (const { path, text } of networkd.render(desired)) await expect(text).toMatchFileSnapshot(`./${name}${path}`);
  });
  test(`networkd audit ${name} finds nothing`, () => {
    expect(networkd.audit(desired)).toEqual([]);
  });
  test(`networkd normalize ${name} has every key once, in order`, () => {
    const keys = networkd.normalize(desired).map(({ key }) => key);
    expect(keys).toEqual([...new Set(keys)].sort());
  });
}
