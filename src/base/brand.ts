declare const brand: unique symbol;

/** A value whose type proves that it was parsed: `Brand<string, "Address">` is a string only `net/address` makes. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
