import type { Person } from "../controller/controller.ts";

export type Role = Person["role"];

/** From the least to the most. Each may do what those before it may. */
export const roles: readonly Role[] = ["viewer", "operator", "admin"];

export function isAllowed(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}
