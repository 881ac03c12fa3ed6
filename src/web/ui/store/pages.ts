import { get } from "./ask.ts";

type Page<T> = { readonly entries: readonly T[]; readonly next?: string };

/** All pages of a list, one after the other, as they come. Ends without an error when it is told to stop. */
export async function readPages<T>(
  path: string,
  query: Readonly<Record<string, string>>,
  take: (entries: readonly T[]) => void,
  signal: AbortSignal,
): Promise<void> {
  let after: string | undefined;
  do {
    const asked: URLSearchParams = new URLSearchParams({
      limit: "1000",
      ...query,
      ...(after === undefined ? {} : { after }),
    });
    const page: Page<T> = await get<Page<T>>(`${path}?${asked.toString()}`, signal);
    if (signal.aborted) return;
    take(page.entries);
    after = page.next;
  } while (after !== undefined);
}
