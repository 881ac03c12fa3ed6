import type { Field } from "../../../proof/field.ts";
import type { Match } from "../../../proof/filter-rules.ts";
import { otherValues, valuesWhere } from "../../../proof/values.ts";

/** Extension headers by the number that the header before them has for them. Hop-by-hop comes first (RFC 8200 §4.1). */
const numbers: readonly (readonly [field: Field, number: number])[] = [
  ["routing", 43],
  ["options", 60],
  ["fragment", 44],
  ["authentication", 51],
];

/**
 * What the fixed header says comes next. Without extension headers that is the transport; with several of them it
 * depends on their order, which is not a part of packets here.
 */
export function nextHeaderMatch(passes: (value: number) => boolean): Match {
  const hopByHop: Match = present("hopByHop");
  const parts: Match[] = [
    every([absent("hopByHop"), ...numbers.map(([field]) => absent(field)), protocolIn(passes)]),
    ...(passes(0) ? [hopByHop] : []),
  ];
  for (const [field, number] of numbers) {
    const others = numbers.filter(([other]) => other !== field).map(([other]) => absent(other));
    if (passes(number)) parts.push(every([absent("hopByHop"), present(field), ...others]));
  }
  const said = numbers.map(([, number]) => passes(number));
  if (said.some(Boolean)) {
    const several = every([absent("hopByHop"), atLeastTwo(), ...(said.every(Boolean) ? [] : [unsaid])]);
    parts.push(several);
  }
  return { kind: "some", of: parts };
}

const unsaid: Match = { kind: "opaque", why: "ip6 nexthdr with several extension headers" };

function every(of: readonly Match[]): Match {
  return { kind: "every", of };
}

function present(field: Field): Match {
  return { kind: "field", field, values: [1] };
}

function absent(field: Field): Match {
  return { kind: "field", field, values: otherValues([1]) };
}

function protocolIn(passes: (value: number) => boolean): Match {
  return { kind: "field", field: "protocol", values: valuesWhere(256, passes) };
}

function atLeastTwo(): Match {
  const pairs = numbers.flatMap(([a], at) => numbers.slice(at + 1).map(([b]) => every([present(a), present(b)])));
  return { kind: "some", of: pairs };
}
