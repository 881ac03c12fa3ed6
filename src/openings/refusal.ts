import type { Code } from "../base/codes.ts";
import { printable } from "../base/printable.ts";
import type { Wrong } from "../base/wrong.ts";
import type { Address } from "../net/address.ts";
import type { Asked } from "./request.ts";

/** Why something that was asked is not open. Encoded, as {@link Asked}. */
export type Refusal = Asked & {
  readonly code: Code;
  readonly why: string;
  readonly fix: string;
  /** Absent where no address was found, or the labels couldn't be read. */
  readonly to?: Address;
};

export function refuse(asked: Asked, { code, text, fix }: Wrong, to?: Address): Refusal {
  return { ...asked, code, why: printable(text), fix: printable(fix), ...(to === undefined ? {} : { to }) };
}
