import { Failure } from "../base/failure.ts";
import { ensurePage } from "../web/page-build.ts";

/** The page is built where it has to be. Where it can't be, that is said, and all but the page works. */
export async function pageThere(say: (line: string) => void): Promise<void> {
  try {
    await ensurePage(say);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code, text, fix } = error.diagnostic;
    say(`${code} no new page: ${text}; fix: ${fix}`);
  }
}
