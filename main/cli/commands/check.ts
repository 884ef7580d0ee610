import { atLeast, SEVERITIES, type Severity } from '../../../engine/rules/finding.ts';
import { findTraces, isFolder } from '../../batch/find.ts';
import { judgeFile } from '../../batch/judge-file.ts';
import { isUnjudged, type Judged } from '../../batch/judged.ts';
import { judgeAll, threadsFor } from '../../batch/pool.ts';
import { jsonReport } from '../check/json.ts';
import type { Report, Shown } from '../check/report.ts';
import { textReport } from '../check/text.ts';
import type { Arguments } from '../command.ts';
import { print, tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';

/** 128 and the number of SIGINT. */
const CANCELLED = 130;

/**
 * `hvrewind check`: exit 2 when a file could not be judged, else 1 on a finding of at least `--min-severity`, or where `--expect`
 * is not met.
 */
export async function run(args: Arguments): Promise<number> {
  const least = severityOf(args.value('min-severity') ?? 'warning');
  const jobs = jobsOf(args.value('jobs'));
  const files = findTraces(args.operands);
  const several = args.operands.length > 1 || args.operands.some(isFolder);
  const report: Report = (args.flag('json') ? jsonReport : textReport)({ several, least, baseline: false });
  const expect = args.flag('expect');
  const cancel = new AbortController();
  let [unjudged, found] = [false, false];

  const progress = progressLine('check', several ? files.length : 0);
  const show = async (text: string): Promise<void> => {
    progress.done();
    if (text !== '') await print(text);
  };
  const take = async (judged: Judged): Promise<void> => {
    const shown = shownOf(judged, expect);
    await show(report.file(shown));
    if (isUnjudged(shown)) {
      unjudged = true;
      tell(`hvrewind: ${shown.problem}`);
    } else if (shown.expectation !== undefined) {
      const { missing, unexpected } = shown.expectation;
      found ||= missing.length + unexpected.length > 0;
    } else found ||= shown.findings.some(({ severity }) => atLeast(severity, least));
  };

  await show(report.begin());
  if (several) {
    const threads = threadsFor(files, jobs);
    const stop = cancelling(threads, cancel);
    let done = 0;
    for await (const judged of judgeAll(files, threads, cancel.signal)) {
      await take(judged);
      progress.report(++done);
    }
    stop();
  } else await take(await judgeFile(files[0] ?? '', progress.report));
  const cancelled = cancel.signal.aborted;
  await show(report.end({ cancelled }));
  if (cancelled) {
    tell('hvrewind: check: cancelled; the files after those above were not judged');
    return CANCELLED;
  }
  if (unjudged) return EXIT.usage;
  return found ? EXIT.found : EXIT.fine;
}

/** Ctrl-C ends a check on threads after what it has; this thread alone is too busy to hear of it, and is killed. */
function cancelling(threads: number, cancel: AbortController): () => void {
  if (threads === 1) return () => {};
  const abort = (): void => cancel.abort();
  process.once('SIGINT', abort);
  return () => process.removeListener('SIGINT', abort);
}

function shownOf(judged: Judged, expect: boolean): Shown {
  if (isUnjudged(judged) || !expect)
    return isUnjudged(judged) ? judged : { ...judged, expectation: undefined };
  if (judged.expectation !== undefined) return judged;
  const { file } = judged;
  return { file, problem: `check: ${file} says nothing of the findings that it expects` };
}

function severityOf(text: string): Severity {
  const severity = SEVERITIES.find((s) => s === text);
  if (severity !== undefined) return severity;
  throw new Problem(`check: --min-severity ${JSON.stringify(text)}: expected ${SEVERITIES.join(', ')}`);
}

function jobsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new Problem(`check: --jobs ${JSON.stringify(text)}: expected a number from 1 to 9999`);
}
