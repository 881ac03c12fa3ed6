import type { Instant } from "../../src/base/time.ts";
import { type Stand, withApi } from "../web/bench.ts";
import type { MemoryController } from "../web/memory-controller.ts";
import { type Look, type Sight, withBrowser } from "./browser.ts";

export type PageStand = Stand & {
  readonly url: string;
  readonly look: (look?: Look) => Promise<Sight>;
  /** A link that signs in once, as `sixgate page` prints it. */
  readonly link: (token?: string) => Promise<string>;
  /** Signed in, at that place: `#/openings`. */
  readonly open: (place: string, look?: Look) => Promise<Sight>;
};

/** A browser before the API, over loopback. */
export async function withPage(
  fill: (controller: MemoryController) => void,
  work: (stand: PageStand) => Promise<void>,
  controllerOf?: (now: () => Instant) => MemoryController,
): Promise<void> {
  await withApi(
    async (stand) => {
      fill(stand.controller);
      const url = stand.served.urls[1] ?? "";
      const link = async (token?: string): Promise<string> => {
        const asking = { method: "POST", body: {}, ...(token === undefined ? {} : { token }) };
        return `${url}/#code=${String((await stand.json("/api/v1/session/code", asking))["code"])}`;
      };
      await withBrowser(async (look) => {
        const open = async (place: string, how?: Look): Promise<Sight> => {
          const sight = await look(how);
          await sight.page.goto(await link());
          await sight.page.getByRole("button", { name: "Sign out" }).waitFor();
          await sight.page.evaluate(`location.hash = ${JSON.stringify(place)}`);
          return sight;
        };
        await work({ ...stand, url, look, link, open });
      });
    },
    [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    controllerOf,
  );
}
