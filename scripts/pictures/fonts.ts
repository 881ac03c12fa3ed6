import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../src/lab/cache.ts";
import { unpackPackages } from "../../src/runtime/unpack.ts";

/**
 * The configuration of fontconfig under which every machine draws the same letters: two fonts of Debian, unpacked and
 * not installed, and no others. `folder` is for it and for its cache. Rejects with E715 when apt can't fetch them.
 */
export async function fontsIn(folder: string, say: (line: string) => void): Promise<string> {
  const tree = await unpackPackages(["fonts-inter", "fonts-jetbrains-mono"], join(cacheFolder(), "packages"), say);
  const prefer = [
    ["system-ui", "Inter"],
    ["sans-serif", "Inter"],
    ["ui-monospace", "JetBrains Mono"],
    ["monospace", "JetBrains Mono"],
  ].map(
    ([family, font]) =>
      `<alias binding="same"><family>${family}</family><prefer><family>${font}</family></prefer></alias>`,
  );
  const path = join(folder, "fonts.conf");
  writeFileSync(
    path,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir>${tree}</dir>
<cachedir>${join(folder, "font-cache")}</cachedir>
${prefer.join("\n")}
</fontconfig>
`,
  );
  return path;
}
