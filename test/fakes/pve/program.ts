// `ifreload` and `pvesh` on the fake node: `pvesh set /nodes/pve/qemu/100/config --net0 …` is the API as root.
const [url = "", folder = "", program = "", verb = "", path = "", ...rest] = process.argv.slice(2);
process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
process.removeAllListeners("warning");
const methods: Readonly<Record<string, string>> = { get: "GET", set: "PUT", create: "POST", delete: "DELETE" };
const form = new URLSearchParams();
for (let at = 0; at < rest.length; at += 2) form.set((rest[at] ?? "").slice(2), rest[at + 1] ?? "");
const method = program === "ifreload" ? "POST" : (methods[verb] ?? "GET");
const query = (method === "GET" || method === "DELETE") && form.size > 0 ? `?${form.toString()}` : "";
const answer = await fetch(program === "ifreload" ? `${url}/ifreload` : `${url}/api2/json${path}${query}`, {
  method,
  headers: { "x-node": folder },
  ...(method === "GET" || method === "DELETE" ? {} : { body: form }),
});
process.stdout.write(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
