import { atLeast } from '../../../engine/rules/finding.ts';
import { findTraces, isFolder } from '../../batch/find.ts';
import { judgeFile } from '../../batch/judge-file.ts';
import { isUnjudged, type Judged } from '../../batch/judged.ts';
import { judgeAll, threadsFor } from '../../batch/pool.ts';
import { Baseline } from '../check/baseline.ts';
import { type CheckOptions, checkOptions } from '../check/options.ts';
import type { Report, Shown } from '../check/report.ts';
import type { Arguments } from '../command.ts';
import { print, tell } from '../output.ts';
import { EXIT } from '../problem.ts';
import { progressLine } from '../progress.ts';

/** 128 and the number of SIGINT. */
const CANCELLED = 130;

/**
 * `hvrewind check`: exit 2 when a file could not be judged, else 1 on a finding of at least `--min-severity`, or where `--expect`
 * is not met. `--write-baseline` exits 0 whatever is found.
 */
export async function run(args: Arguments): Promise<number> {
  const options = checkOptions(args);
  const baseline = options.write ? undefined : readBaseline(options);
  const files = findTraces(args.operands);
  const several = args.operands.length > 1 || args.operands.some(isFolder);
  const report = options.report({ several, least: options.least, baseline: baseline !== undefined });
  const verdict = new Verdict(options, baseline, options.write ? undefined : report);
  const cancel = new AbortController();

  await verdict.begin();
  if (several) {
    const threads = threadsFor(files, options.jobs);
    const stop = cancelling(threads, cancel);
    const progress = progressLine('check', files.length);
    let done = 0;
    for await (const judged of judgeAll(files, threads, cancel.signal)) {
      progress.done();
      await verdict.take(judged);
      progress.report(++done);
    }
    progress.done();
    stop();
  } else {
    const progress = progressLine('check');
    const judged = await judgeFile(files[0] ?? '', progress.report);
    progress.done();
    await verdict.take(judged);
  }
  return verdict.end(cancel.signal.aborted);
}

function readBaseline({ baseline }: CheckOptions): Baseline | undefined {
  return baseline === undefined ? undefined : Baseline.read(baseline);
}

/** Ctrl-C ends a check on threads after what it has; this thread alone is too busy to hear of it, and is killed. */
function cancelling(threads: number, cancel: AbortController): () => void {
  if (threads === 1) return () => {};
  const abort = (): void => cancel.abort();
  process.once('SIGINT', abort);
  return () => process.removeListener('SIGINT', abort);
}

/** What the files come to: prints the report, one file after the other, and knows the exit code. */
class Verdict {
  readonly #options: CheckOptions;
  readonly #baseline: Baseline | undefined;
  readonly #report: Report | undefined;
  /** All findings, where they are to be written down. */
  readonly #all: Baseline | undefined;
  #unjudged = false;
  #found = false;
  /** Findings that the baseline has, and such of it as were not found again. */
  #known = 0;
  #gone = 0;

  constructor(options: CheckOptions, baseline: Baseline | undefined, report: Report | undefined) {
    this.#options = options;
    this.#baseline = baseline;
    this.#report = report;
    this.#all = options.write ? new Baseline(options.baseline ?? '') : undefined;
  }

  begin(): Promise<void> {
    return this.#print(this.#report?.begin());
  }

  async take(judged: Judged): Promise<void> {
    const shown = this.#shown(judged);
    await this.#print(this.#report?.file(shown));
    if (isUnjudged(shown)) {
      this.#unjudged = true;
      tell(`hvrewind: ${shown.problem}`);
    } else if (shown.expectation !== undefined) {
      const { missing, unexpected } = shown.expectation;
      this.#found ||= missing.length + unexpected.length > 0;
    } else {
      const { least } = this.#options;
      this.#found ||= shown.findings.some(({ severity }) => atLeast(severity, least));
      for (const { id } of shown.findings) this.#all?.add(shown.file, id);
    }
  }

  async end(cancelled: boolean): Promise<number> {
    await this.#print(this.#report?.end({ cancelled }));
    if (this.#baseline !== undefined && this.#known + this.#gone > 0) {
      tell(`hvrewind: check: ${this.#known} findings are in the baseline, ${this.#gone} of it are gone`);
    }
    if (cancelled) {
      tell('hvrewind: check: cancelled; the files after those above were not judged');
      return CANCELLED;
    }
    if (this.#unjudged) return EXIT.usage;
    if (this.#all === undefined) return this.#found ? EXIT.found : EXIT.fine;
    const path = this.#options.baseline ?? '';
    this.#all.write(path);
    tell(`${path}: ${this.#all.size} findings`);
    return EXIT.fine;
  }

  #shown(judged: Judged): Shown {
    if (isUnjudged(judged)) return judged;
    const { file, findings, expectation } = judged;
    if (!this.#options.expect) {
      const fresh = findings.filter(({ id }) => this.#baseline?.has(file, id) !== true);
      const known = findings.length - fresh.length;
      this.#known += known;
      this.#gone += (this.#baseline?.of(file) ?? 0) - known;
      return { ...judged, findings: fresh, expectation: undefined };
    }
    if (expectation !== undefined) return judged;
    const problem = `check: ${file} says nothing of the findings that it expects`;
    return { file, problem };
  }

  async #print(text: string | undefined): Promise<void> {
    if (text !== undefined && text !== '') await print(text);
  }
}
