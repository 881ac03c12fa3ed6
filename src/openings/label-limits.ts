/**
 * How much a container's labels may hold; more is refused with E901 before it is read. All labels that fit are read in
 * well under a millisecond, whatever stands in them. Lengths in UTF-16 units.
 */
export const labelLimits = {
  /** One key, one value. */
  key: 128,
  value: 4_096,
  /** Labels of a container, and all their keys and values together. */
  labels: 128,
  total: 16_384,
  /** Rules in a list, ports and sources in a rule. */
  rules: 64,
  ports: 32,
  sources: 32,
  comment: 200,
} as const;
