/** The value below which a share of the values lies (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
}

/** One measured figure and what was aimed at. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  aim?: { atMost?: number; atLeast?: number };
}

/** Whether a figure is what was aimed at; undefined where nothing was. */
export function met({ value, aim }: Figure): boolean | undefined {
  if (!aim) return undefined;
  return value <= (aim.atMost ?? Infinity) && value >= (aim.atLeast ?? -Infinity);
}

/** The figures as a Markdown table. */
export function asTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const aim =
      figure.aim?.atMost !== undefined ? `≤ ${figure.aim.atMost}` : figure.aim ? `≥ ${figure.aim.atLeast}` : '';
    const verdict = met(figure) === undefined ? '' : met(figure) ? 'met' : '**missed**';
    return `| ${figure.name} | ${round(figure.value)} ${figure.unit} | ${aim} | ${verdict} |`;
  });
  return ['| figure | measured | aim | |', '|---|---|---|---|', ...rows].join('\n');
}

function round(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
