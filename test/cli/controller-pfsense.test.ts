import { expect, test } from "vitest";
import { statesOf } from "../conformance/lane-pf.ts";
import { startArticle } from "../conformance/target-pfsense.ts";
import { besidePf } from "../pf-controller.ts";

test("beside a pfSense a label becomes an entry of a table, and when the container ends entry and flow are gone", {
  timeout: 400_000,
}, async () => {
  const fake = await startArticle();
  const { kernel, key } = fake.device;
  try {
    await besidePf("pfsense", fake, async ({ engine, until, stopController, said }) => {
      let id = "";
      engine.act((model) => {
        id = model.create({ name: "web", labels: { "sixgate.open": "80; 2375" } });
        model.start(id);
      });
      const web = "2001:db8:1:2:21::2";
      const table = (): readonly string[] => [...(kernel.tables.get("sgl_tcp_80") ?? [])];
      await until(() => table().length > 0);
      expect(table()).toEqual([web]);
      expect([...kernel.tables.keys()].filter((each) => each.includes("2375"))).toEqual([]);
      expect(kernel.rules.some(({ text }) => text.includes("on vtnet0") && text.includes("<sgl_tcp_80>"))).toBe(true);
      kernel.states.push(
        ...statesOf(`2001:db8:77::1 > ${web} tcp 80`, 1),
        ...statesOf(`${web} > 2001:db8:77::1 tcp 80`, 2),
      );

      engine.act((model) => model.kill(id));
      await until(() => table().length === 0);
      await until(() => kernel.states.length === 2);
      // What the container itself began is not an opening's.
      expect(kernel.states.map(({ from }) => from)).toEqual([web, web]);
      expect(await stopController()).toBe(0);
      expect(said()).not.toContain(key);
    });
  } finally {
    await fake.stop();
  }
});
