import { expect, test } from "vitest";
import { ifupdownGuest } from "../../../src/drivers/ifupdown/driver.ts";
import { guests } from "../guests.ts";

for (const [name, desired] of guests("ifupdown")) {
  test(`ifupdownGuest render ${name}`, async () => {
    for (const { path, text } of ifupdownGuest.render(desired))
      await expect(text).toMatchFileSnapshot(`./${name}${path}`);
  });
  test(`ifupdownGuest audit ${name} finds nothing`, () => {
    expect(ifupdownGuest.audit(desired)).toEqual([]);
  });
  test(`ifupdownGuest normalize ${name} has every key once, in order`, () => {
    const keys = ifupdownGuest.normalize(desired).map(({ key }) => key);
    expect(keys).toEqual([...new Set(keys)].sort());
  });
}
