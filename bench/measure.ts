/** One line of a bench table. `ratio` is how many times quicker than `beside`, which names the other side. */
export type Row = { name: string; figure: number; unit: string; ratio?: number; beside?: string };

/**
 * Runs the sides in turn, round by round, so that a busy neighbour slows all of them alike; each gives the number
 * of operations that it did. One round before the first is not counted. The figure is the median over the rounds.
 */
export function interleave(
  sides: Record<string, () => number>,
  options: { readonly rounds?: number } = {},
): Record<string, { opsPerSecond: number }> {
  const rounds = options.rounds ?? 5;
  const seen = new Map<string, number[]>(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      const start = performance.now();
      const operations = side();
      const took = performance.now() - start;
      if (round > 0) seen.get(name)?.push((operations * 1000) / took);
    }
  }
  return Object.fromEntries([...seen].map(([name, figures]) => [name, { opsPerSecond: median(figures) }]));
}

export function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? Number.NaN;
}

export function printTable(title: string, rows: readonly Row[]): void {
  const wide = Math.max(...rows.map((row) => row.name.length));
  console.log(`\n${title}`);
  for (const row of rows) {
    const beside = row.ratio === undefined ? "" : `   ${compared(row.ratio)} ${row.beside ?? ""}`;
    console.log(`  ${row.name.padEnd(wide)}  ${formatFigure(row.figure).padStart(10)} ${row.unit}${beside}`);
  }
}

/** `0.2 x as quick` says little to most people, `5.0 x slower` more. */
function compared(ratio: number): string {
  return ratio >= 1 ? `${ratio.toFixed(1)} x quicker than` : `${(1 / ratio).toFixed(1)} x slower than`;
}

/** Three digits, thousands apart: 3,940,000 and 14.2. */
function formatFigure(figure: number): string {
  return Number(figure.toPrecision(3)).toLocaleString("en-US");
}
