import { localShell } from "../../src/runtime/shell-local.ts";

/** Why a test can't run here, or undefined. `root`: root that may make namespaces; anything else: a program. */
export async function missingFor(needs: readonly string[]): Promise<string | undefined> {
  for (const need of needs) {
    const reason = need === "root" ? await missingRoot() : await missingProgram(need);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

async function missingRoot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "not root";
  const ran = await localShell().run(["unshare", "--net", "--mount", "--pid", "--fork", "true"]);
  return ran.code === 0 ? undefined : `no namespaces: ${ran.stderr.trim()}`;
}

async function missingProgram(program: string): Promise<string | undefined> {
  const ran = await localShell().run(["sh", "-c", 'PATH=$PATH:/usr/sbin:/sbin command -v "$1"', "sh", program]);
  return ran.code === 0 ? undefined : `no ${program}`;
}
