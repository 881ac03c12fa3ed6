import type { Address } from "../../../net/address.ts";
import type { Elements } from "../../../proof/filter-rules.ts";

/** What pf's rules speak of without saying what it is. */
export type Around = {
  /** By interface its IPv6 addresses, link-local ones too. */
  readonly addresses: ReadonlyMap<string, readonly Address[]>;
  /** By group the interfaces in it. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** `set skip on`: pf does not look at packets there. */
  readonly skipped: readonly string[];
  /** By the name that rules of the place use, see {@link tableName}. */
  readonly tables: ReadonlyMap<string, Elements>;
  /** Tags that some rule gives to packets. */
  readonly tags: ReadonlySet<string>;
};

/** The table that a rule means: an anchor's own where it has one, else that of the main rules. */
export function tableName(anchor: string, table: string): string {
  return anchor === "" ? table : `${anchor}/${table}`;
}
