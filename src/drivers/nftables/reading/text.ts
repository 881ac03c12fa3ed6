import { isJson, type Json, only, wordIn } from "./json.ts";

/** A rule in words close to nft's own, from its JSON: for people, not to be loaded again. */
export function ruleText(statements: readonly unknown[]): string {
  return statements
    .map(statementText)
    .filter((each) => each !== "")
    .join(" ");
}

function statementText(statement: unknown): string {
  const [kind, body] = only(statement) ?? ["?", undefined];
  if (kind === "match" && isJson(body)) return matchText(body);
  if (kind === "vmap" && isJson(body)) return `${expressionText(body["key"])} vmap ${expressionText(body["data"])}`;
  if (kind === "counter") return "counter";
  if (kind === "log") return "log";
  if ((kind === "jump" || kind === "goto") && isJson(body)) return `${kind} ${wordIn(body, "target")}`;
  if (kind === "mangle" && isJson(body)) return `${expressionText(body["key"])} set ${expressionText(body["value"])}`;
  if (kind === "set" && isJson(body))
    return `${wordIn(body, "op")} ${wordIn(body, "set")} { ${expressionText(body["elem"])} }`;
  if (kind === "limit" && isJson(body)) return limitText(body);
  if ((kind === "dnat" || kind === "snat") && isJson(body)) {
    return `${kind} to ${expressionText(body["addr"])}${body["port"] === undefined ? "" : ` port ${expressionText(body["port"])}`}`;
  }
  return body === null || body === undefined ? kind : `${kind} ${expressionText(body)}`;
}

function limitText(body: Json): string {
  const unit = body["rate_unit"] === undefined ? "" : `${wordIn(body, "rate_unit")} `;
  return `limit rate ${body["inv"] === true ? "over " : ""}${wordIn(body, "rate")} ${unit}per ${wordIn(body, "per")}`;
}

function matchText({ op, left, right }: Json): string {
  const isPlain = op === "==" || op === "in";
  if (typeof right === "boolean" && op === "==") return `${expressionText(left)} ${right ? "exists" : "missing"}`;
  return `${expressionText(left)} ${isPlain ? "" : `${String(op)} `}${expressionText(right)}`;
}

function expressionText(expression: unknown): string {
  if (Array.isArray(expression)) {
    // A row of a map, or several flags.
    const [key, verdict] = expression;
    if (expression.length === 2 && isVerdict(verdict)) return `${expressionText(key)} : ${statementText(verdict)}`;
    return expression.map(expressionText).join(",");
  }
  const pair = only(expression);
  if (!isJson(expression)) return typeof expression === "string" ? expression : JSON.stringify(expression);
  const { range, prefix } = expression;
  if (Array.isArray(range)) return range.map(expressionText).join("-");
  if (isJson(prefix)) return `${String(prefix["addr"])}/${String(prefix["len"])}`;
  if (pair === undefined) return JSON.stringify(expression);
  return fieldText(pair[0], pair[1]);
}

const shown = 8;

function fieldText(kind: string, body: unknown): string {
  if (kind === "concat" && Array.isArray(body)) return body.map(expressionText).join(" . ");
  if (kind === "set" && Array.isArray(body)) {
    const rest = body.length > shown ? `, … ${body.length - shown} more` : "";
    return `{ ${body.slice(0, shown).map(expressionText).join(", ")}${rest} }`;
  }
  if (["&", "|", "^", "<<", ">>"].includes(kind) && Array.isArray(body))
    return body.map(expressionText).join(` ${kind} `);
  if (!isJson(body)) return `${kind} ${JSON.stringify(body)}`;
  switch (kind) {
    case "payload":
      return body["base"] === undefined
        ? `${wordIn(body, "protocol")} ${wordIn(body, "field")}`
        : `@${wordIn(body, "base")},${wordIn(body, "offset")},${wordIn(body, "len")}`;
    case "meta":
      return ["l4proto", "nfproto", "mark", "protocol", "length"].includes(wordIn(body, "key"))
        ? `meta ${wordIn(body, "key")}`
        : wordIn(body, "key");
    case "ct":
      return `ct ${wordIn(body, "dir")} ${wordIn(body, "key")}`.replace("  ", " ");
    case "exthdr":
      return body["field"] === undefined
        ? `exthdr ${wordIn(body, "name")}`
        : `${wordIn(body, "name")} ${wordIn(body, "field")}`;
    case "fib":
      return `fib ${(Array.isArray(body["flags"]) ? body["flags"] : []).join(" . ")} ${wordIn(body, "result")}`;
    case "elem":
      return expressionText(body["val"]);
    default:
      return `${kind} ${JSON.stringify(body)}`;
  }
}

const verdicts: ReadonlySet<string> = new Set(["accept", "drop", "return", "continue", "jump", "goto"]);

function isVerdict(value: unknown): boolean {
  const pair = only(value);
  return pair !== undefined && verdicts.has(pair[0]);
}
