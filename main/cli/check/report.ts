import type { FindingJson, Severity } from '../../../engine/rules/finding.ts';
import type { Expectation, UnjudgedFile } from '../../batch/judged.ts';

/** A file that was judged, as it is shown: without the findings that are known already. */
export interface ShownTrace {
  readonly file: string;
  readonly events: number;
  readonly findings: readonly FindingJson[];
  /** Where `--expect` asks for it. */
  readonly expectation: Expectation | undefined;
}

export type Shown = ShownTrace | UnjudgedFile;

/** How all of it came to its end. */
export interface Ending {
  /** It was cancelled: not all files were judged. */
  readonly cancelled: boolean;
}

/** What a form of report is told before the first file. */
export interface ReportOptions {
  /** More than one file may come. */
  readonly several: boolean;
  /** What counts as a failure. */
  readonly least: Severity;
  /** Findings that are known already are left out. */
  readonly baseline: boolean;
}

/** A report in one form, file after file, so that it takes constant memory. Each gives the text to print next. */
export interface Report {
  begin(): string;
  file(shown: Shown): string;
  end(ending: Ending): string;
}
