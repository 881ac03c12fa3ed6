type Printed = {
  readonly automatic: readonly string[];
  readonly translation: readonly string[];
  readonly rules: readonly { readonly text: string }[];
  readonly loads: number;
};

/** What pfctl(8) of FreeBSD prints with `-v` and of anchors; undefined for what is asked otherwise. */
export function pfPrints(kernel: Printed, argv: readonly string[]): string | undefined {
  const words = argv.filter((each) => each !== "-P");
  const all = words[0] === "-a" && words[1] === "*";
  switch ((all ? words[2] : words[0]) ?? "") {
    case "-vsi":
      return `Status: Enabled\n\nHostid:   0x0badcafe\nChecksum: 0x${kernel.loads.toString(16).padStart(32, "0")}\n`;
    case "-vvsr":
      return numbered([
        "scrub in all fragment reassemble",
        ...kernel.automatic,
        ...kernel.rules.map(({ text }) => text),
      ]);
    case "-vvsn":
      return numbered(kernel.translation);
    case "-vsI":
      return "all\nlo0 (skip)\npfsync0 (skip)\nvtnet0\nvtnet1\nvtnet2\n";
    default:
      return undefined;
  }
}

/** With `-vv` each rule has its number and is followed by its counters. */
function numbered(texts: readonly string[]): string {
  let number = 0;
  return texts
    .flatMap((text) => text.split("\n"))
    .map((line) => {
      const bare = line.trim();
      const isRule = bare !== "}" && bare !== "";
      const counters = `  [ Evaluations: 12        Packets: 3         Bytes: 180         States: 1     ]\n  [ Inserted: uid 0 pid 71021 State Creations: 0     ]\n`;
      return isRule ? `@${number++} ${line}\n${counters}` : `${line}\n`;
    })
    .join("");
}
