/** What a firewall's configuration file says, in words that both products have: for reading it into a fleet file. */
export type FirewallConfig = {
  readonly hostname?: string;
  readonly interfaces: readonly FirewallInterface[];
  /** Further addresses of interfaces, with their lengths. */
  readonly virtual: readonly { readonly interface: string; readonly address: string }[];
  readonly gateways: readonly { readonly name: string; readonly interface: string; readonly address: string }[];
  /** Names of gateways. */
  readonly default4?: string;
  readonly default6?: string;
  readonly routes: readonly { readonly network: string; readonly gateway: string }[];
  readonly aliases: readonly { readonly name: string; readonly type: string; readonly entries: readonly string[] }[];
  readonly rules: readonly FirewallRule[];
};

export type FirewallInterface = {
  /** The product's own name: wan, opt1. */
  readonly id: string;
  /** The kernel's. */
  readonly device: string;
  readonly mac?: string;
  /** With its length. */
  readonly six?: string;
  readonly four?: string;
};

/** Only rules that are switched on and let packets pass. Places are `any`, an address, a prefix, or an alias. */
export type FirewallRule = {
  readonly interfaces: readonly string[];
  readonly six: boolean;
  /** Lower case; undefined for any. */
  readonly protocol?: string;
  readonly echo: boolean;
  readonly from: string;
  readonly to: string;
  readonly notTo: boolean;
  /** `443`, `8000-8099`, an alias of ports; undefined for all. */
  readonly ports?: string;
  readonly label: string;
};
