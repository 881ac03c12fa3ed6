/** The lab of the pictures: a name of its own, so that a reader's lab beside it is left alone. */
export const labName = "pictures";

/** What README.md records, command by command, as a reader would give them. */
export const sessionCommands: readonly (readonly string[])[] = [
  ["lab", "up", "--detach"],
  ["lab", "docker", "vm1", "run", "-d", "--name", "shop", "-l", "sixgate.open=8080", "sixgate/lab:1", "8080"],
  ["lab", "docker", "vm1", "run", "-d", "--name", "mongo", "-l", "sixgate.open=27017", "sixgate/lab:1", "27017"],
  ["openings", "--lab"],
  ["why", "vm1/mongo:27017", "--lab"],
  ["verify", "--lab"],
  ["lab", "down"],
];

/** The same command for a lab of that name. */
export function inLab([verb = "", ...rest]: readonly string[], name: string): readonly string[] {
  if (verb === "lab") return [verb, rest[0] ?? "", "--name", name, ...rest.slice(1)];
  return [verb, ...rest.flatMap((word) => (word === "--lab" ? ["--lab", name] : [word]))];
}

/**
 * A command and what it said, as it stands in a session. The code of a login link is a secret for five minutes, and of no
 * use to a reader; nor is the lab's own name.
 */
export function recorded(words: readonly string[], said: string, name: string): string {
  const text = fromBanner(said)
    .replaceAll(/#code=[\w-]+/g, "#code=…")
    .replaceAll(`lab "${name}"`, 'lab "lab"')
    .replaceAll(`--lab ${name}`, "--lab")
    .replaceAll(` --name ${name}`, "");
  return `# ${["./sixgate", ...words].join(" ")}\n${text}`;
}

/** Without what a first run fetches before it says who it is: that depends on the machine. */
function fromBanner(said: string): string {
  const at = said.search(/^sixgate \d/m);
  return at < 0 ? said : said.slice(at);
}

/** The commands that a recorded session shows. */
export function commandsOf(session: string): readonly string[] {
  return [...session.matchAll(/^# \.\/sixgate (.*)$/gm)].map(([, words = ""]) => words);
}

/**
 * What two runs of one session have in common: figures, times, identities, rows in the order of identities and the
 * blanks of columns are those of a run and of a machine.
 */
export function lasting(session: string): string {
  return session
    .replaceAll(/\b[0-9a-f]{12,}\b/g, "ID")
    .replaceAll(/\d+(?:[.:]+\d+)*/g, "N")
    .replaceAll(/[ \t]+/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .sort()
    .join("\n");
}
