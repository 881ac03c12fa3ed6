// A program of a fake device that a real shell calls, or an ssh to it: hands its words and its input to the fake, and ends
// as it says. `stub.ts URL PROGRAM WORD…` or `stub.ts URL --login COMMAND`.
const [url = "", ...argv] = process.argv.slice(2);
const chunks: Buffer[] = [];
if (!process.stdin.isTTY) for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const input = Buffer.concat(chunks).toString();
const asked = argv[0] === "--login" ? { command: argv[1] ?? "", input } : { argv, input };
const answer = await fetch(url, { method: "POST", body: JSON.stringify(asked) });
const { code, stdout, stderr } = (await answer.json()) as { code: number; stdout: string; stderr: string };
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = code;
