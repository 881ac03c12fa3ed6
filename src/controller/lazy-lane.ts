import type { MembersLane } from "../drivers/members-lane.ts";

/**
 * A lane that is opened when it is first used, and tried again when that fails: a gateway that is away when the
 * controller starts is no reason to end. Before it is open, services stay as they are.
 */
export function lazyLane(open: (signal?: AbortSignal) => Promise<MembersLane>): MembersLane {
  let lane: MembersLane | undefined;
  let opening: Promise<MembersLane> | undefined;

  async function opened(signal: AbortSignal | undefined): Promise<MembersLane> {
    opening ??= open(signal).finally(() => {
      opening = undefined;
    });
    lane ??= await opening;
    return lane;
  }
  return {
    normalize: (services) => lane?.normalize(services) ?? services,
    read: async (signal) => (lane ?? (await opened(signal))).read(signal),
    readAt: async (to, signal) => (lane ?? (await opened(signal))).readAt(to, signal),
    counts: async (hosts, signal) => await (lane ?? (await opened(signal))).counts?.(hosts, signal),
    change: async (changes, now, signal) => (lane ?? (await opened(signal))).change(changes, now, signal),
    async end() {
      await opening?.catch(() => undefined);
      await lane?.end();
    },
  };
}
