import { parsePrefix } from "../../../net/prefix.ts";
import { Tokens } from "./tokens.ts";

/**
 * A rule in nft's words as the statements that nft's JSON has for it: the words that our own rules are made of, and a
 * little more. Throws a SyntaxError for anything else: then nobody claims to know what the rule does.
 */
export function parseRule(text: string): readonly unknown[] {
  const tokens = new Tokens(text);
  const statements: unknown[] = [];
  while (!tokens.isEnd) statements.push(statement(tokens));
  return statements;
}

function statement(tokens: Tokens): unknown {
  const word = tokens.peek();
  switch (word) {
    case "accept":
    case "drop":
    case "return":
    case "continue":
    case "notrack":
      tokens.next();
      return { [word]: null };
    case "jump":
    case "goto":
      tokens.next();
      return { [word]: { target: tokens.next() } };
    case "counter":
      tokens.next();
      return { counter: { packets: 0, bytes: 0 } };
    case "reject":
      return reject(tokens);
    case "log":
      return log(tokens);
    case "limit":
      return limit(tokens);
    case "update":
    case "add":
      return dynamic(tokens);
    case "snat":
    case "dnat":
    case "masquerade":
      return translation(tokens);
    default:
      return comparison(tokens);
  }
}

function reject(tokens: Tokens): unknown {
  tokens.expect("reject");
  if (!tokens.takes("with")) return { reject: null };
  const type = tokens.next();
  return { reject: { type, expr: tokens.next() } };
}

function log(tokens: Tokens): unknown {
  tokens.expect("log");
  while (["prefix", "group", "snaplen", "queue-threshold", "level"].includes(tokens.peek())) {
    tokens.next();
    tokens.next();
  }
  return { log: null };
}

/** `limit rate [over] 5/second [burst 10 packets]`. */
function limit(tokens: Tokens): unknown {
  tokens.expect("limit");
  tokens.expect("rate");
  const inv = tokens.takes("over");
  const [rate = "", per = ""] = tokens.next().split("/");
  if (tokens.takes("burst")) {
    tokens.next();
    tokens.expect("packets");
  }
  return { limit: { rate: Number(rate), per, ...(inv ? { inv } : {}) } };
}

/** `update @set { key [timeout 1m] [limit …] }`. */
function dynamic(tokens: Tokens): unknown {
  const op = tokens.next();
  const set = tokens.next();
  tokens.expect("{");
  const elem = keyExpression(tokens);
  if (tokens.takes("timeout")) tokens.next();
  const stmt = tokens.peek() === "limit" ? [limit(tokens)] : undefined;
  tokens.expect("}");
  return { set: { op, elem, set, ...(stmt === undefined ? {} : { stmt }) } };
}

function translation(tokens: Tokens): unknown {
  const kind = tokens.next();
  if (kind === "masquerade") return { masquerade: null };
  const family = tokens.next();
  tokens.expect("to");
  return { [kind]: { family, addr: tokens.next() } };
}

function comparison(tokens: Tokens): unknown {
  const left = keyExpression(tokens);
  if (tokens.takes("vmap")) {
    if (tokens.peek().startsWith("@")) return { vmap: { key: left, data: tokens.next() } };
    return { vmap: { key: left, data: { set: list(tokens, row) } } };
  }
  const word = tokens.peek();
  const isOperator = ["==", "!=", "<", ">", "<=", ">="].includes(word);
  if (isOperator) tokens.next();
  const right = rightSide(tokens);
  // Flags by themselves: any of them.
  const isFlags = /^(state|status|flags)$/.test(lastField(left)) && !isOperator && !isSet(right);
  return { match: { op: isFlags ? "in" : isOperator ? word : "==", left, right } };
}

function isSet(right: unknown): boolean {
  return (
    (typeof right === "string" && right.startsWith("@")) ||
    (typeof right === "object" && right !== null && "set" in right)
  );
}

function lastField(left: unknown): string {
  const body = typeof left === "object" && left !== null ? Object.values(left)[0] : undefined;
  if (typeof body !== "object" || body === null) return "";
  if ("field" in body) return String(body.field);
  return "key" in body ? String(body.key) : "";
}

/** `ip6 daddr . meta l4proto . th dport`, each perhaps under a mask. */
function keyExpression(tokens: Tokens): unknown {
  const parts = [masked(tokens)];
  while (tokens.takes(".")) parts.push(masked(tokens));
  return parts.length === 1 ? parts[0] : { concat: parts };
}

function masked(tokens: Tokens): unknown {
  const field = primary(tokens);
  if (!tokens.takes("&")) return field;
  return { "&": [field, tokens.peek() === "(" ? flags(tokens) : value(tokens)] };
}

const protocols: ReadonlySet<string> = new Set([
  "ip6",
  "ip",
  "tcp",
  "udp",
  "sctp",
  "th",
  "icmpv6",
  "icmp",
  "ether",
  "udplite",
]);
const bareMeta: ReadonlySet<string> = new Set(["iif", "iifname", "oif", "oifname"]);

function primary(tokens: Tokens): unknown {
  const word = tokens.next();
  if (protocols.has(word)) return { payload: { protocol: word, field: tokens.next() } };
  if (bareMeta.has(word)) return { meta: { key: word } };
  if (word === "meta") return { meta: { key: tokens.next() } };
  if (word === "exthdr") return { exthdr: { name: tokens.next() } };
  if (word === "rt") return { exthdr: { name: "rt", field: tokens.next() } };
  if (word === "ct") return tracked(tokens);
  if (word === "fib") return routed(tokens);
  const raw = /^@(nh|th|ll)$/.exec(word);
  if (raw !== null) {
    tokens.expect(",");
    const offset = Number(tokens.next());
    tokens.expect(",");
    return { payload: { base: raw[1], offset, len: Number(tokens.next()) } };
  }
  throw new SyntaxError(`Not a field: ${JSON.stringify(word)}`);
}

function tracked(tokens: Tokens): unknown {
  const first = tokens.next();
  if (first !== "original" && first !== "reply") return { ct: { key: first } };
  const key = tokens.next();
  return { ct: { key: key === "ip6" ? `ip6 ${tokens.next()}` : key, dir: first } };
}

/** `fib saddr . iif oif`. */
function routed(tokens: Tokens): unknown {
  const asked = [tokens.next()];
  while (tokens.takes(".")) asked.push(tokens.next());
  return { fib: { result: tokens.next(), flags: asked } };
}

function rightSide(tokens: Tokens): unknown {
  const word = tokens.peek();
  if (word === "{") return { set: list(tokens, element) };
  if (word === "(") return { "|": flags(tokens) };
  if (word.startsWith("@")) return tokens.next();
  if (word === "exists" || word === "missing") return tokens.next() === "exists";
  const first = value(tokens);
  if (tokens.peek() !== ",") return first;
  const all = [first];
  while (tokens.takes(",")) all.push(value(tokens));
  return all;
}

function list<T>(tokens: Tokens, read: (tokens: Tokens) => T): readonly T[] {
  tokens.expect("{");
  const all = [read(tokens)];
  while (tokens.takes(",")) if (tokens.peek() !== "}") all.push(read(tokens));
  tokens.expect("}");
  return all;
}

function flags(tokens: Tokens): readonly unknown[] {
  tokens.expect("(");
  const all = [value(tokens)];
  while (tokens.takes("|")) all.push(value(tokens));
  tokens.expect(")");
  return all;
}

function element(tokens: Tokens): unknown {
  const parts = [value(tokens)];
  while (tokens.takes(".")) parts.push(value(tokens));
  return parts.length === 1 ? parts[0] : { concat: parts };
}

function row(tokens: Tokens): unknown {
  const key = element(tokens);
  tokens.expect(":");
  return [key, statement(tokens)];
}

function value(tokens: Tokens): unknown {
  return valueIn(tokens.next());
}

/** An element of a set, parts between ` . `. */
export function parseElement(text: string): unknown {
  const tokens = new Tokens(text);
  const parsed = element(tokens);
  if (!tokens.isEnd) throw new SyntaxError(`Unexpected ${JSON.stringify(tokens.peek())} in ${JSON.stringify(text)}`);
  return parsed;
}

/** One word as nft's JSON has it: a number, a prefix, a range, a name. */
function valueIn(word: string): unknown {
  if (word === "" || /^[{}(),|&<>=!]/.test(word)) throw new SyntaxError(`Not a value: ${JSON.stringify(word)}`);
  const quoted = /^"(.*)"$/.exec(word);
  if (quoted !== null) return quoted[1];
  if (/^\d+$/.test(word)) return Number(word);
  if (word.includes("/") && parsePrefix(word) !== undefined) {
    const [addr, len] = word.split("/");
    return { prefix: { addr, len: Number(len) } };
  }
  const range = /^([0-9a-fx:.]+)-([0-9a-fx:.]+)$/i.exec(word);
  if (range !== null) return { range: [valueIn(range[1] ?? ""), valueIn(range[2] ?? "")] };
  return word;
}
