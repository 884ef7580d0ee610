/** What a comparison found: the tests read it from the process that made it. */
import { type HostProcessor, type Mode, Unavailable } from './host-processor.ts';

export type Outcome =
  | {
      readonly kind: 'equal';
      readonly sequences: number;
      readonly steps: number;
      readonly faults: number;
      /** Results of which the last bit may differ, and those that agree in all; where there are such. */
      readonly results: number;
      readonly exact: number;
    }
  | { readonly kind: 'different'; readonly what: string }
  | { readonly kind: 'unavailable'; readonly why: string };

export interface Comparison {
  readonly host: HostProcessor;
  readonly steps: number;
  readonly faults: number;
  readonly results: number;
  readonly exact: number;
  /** The first difference in the sequence of this seed. */
  run(seed: number): string | undefined;
}

function compare(begin: (mode: Mode) => Comparison, mode: Mode, seed: number, sequences: number): Outcome {
  let comparison: Comparison | undefined;
  try {
    comparison = begin(mode);
    for (let n = 0; n < sequences; n += 1) {
      const what = comparison.run(seed + n);
      if (what !== undefined) return { kind: 'different', what };
    }
    const { steps, faults, results, exact } = comparison;
    return { kind: 'equal', sequences, steps, faults, results, exact };
  } catch (error) {
    if (error instanceof Unavailable) return { kind: 'unavailable', why: error.message };
    throw error;
  } finally {
    comparison?.host.end();
  }
}

/** Compares what the command line asks for, MODE SEED SEQUENCES, and prints the outcome as a line of JSON. */
export function report(begin: (mode: Mode) => Comparison): void {
  const [mode, seed, sequences] = process.argv.slice(2).map(Number) as [Mode, number, number];
  console.log(JSON.stringify(compare(begin, mode, seed, sequences)));
}
