import { KEPT_DIVERGENCES } from '../../../engine/replay/compare.ts';
import { replay, replayTwice } from '../../../engine/replay/replay.ts';
import { ENGINE_VERSION } from '../../../engine/version.ts';
import { cannotExecute } from '../../../tracer/re-execute/execute.ts';
import type { Arguments } from '../command.ts';
import { executedText, executeTrace } from '../executed.ts';
import { print, printJson, table } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { SIDES } from '../sides.ts';
import { withTrace } from '../trace.ts';
import type { OpenTrace } from '../trace-events.ts';

/** Divergences that are printed; the first are those that count, for the rest follows from them. */
const SHOWN_DIVERGENCES = 100;

/** `hvrewind replay`: exit 1 for divergences or unequal hashes. */
export function run(args: Arguments): Promise<number> {
  return withTrace(args.operands[0] ?? '', (trace) => replayTrace(trace, args));
}

async function replayTrace(trace: OpenTrace, args: Arguments): Promise<number> {
  const { source } = trace;
  const to = lastEvent(args.value('to'), source.count);
  const verify = args.flag('verify');
  if (verify && to !== undefined)
    throw new Problem('replay: --verify replays the whole trace; leave out --to');
  const executes = args.flag('execute');
  if (executes && to !== undefined)
    throw new Problem('replay: --execute runs the guests from the first event to the last; leave out --to');
  const cannot = executes ? cannotExecute(source) : undefined;
  if (cannot !== undefined) throw new Problem(`replay: ${args.operands[0]} cannot be executed: ${cannot}`);
  const progress = progressLine('replay', source.count);
  const started = process.hrtime.bigint();
  const options = { progress: progress.report, ...(to === undefined ? {} : { to }) };
  const { report, same } = verify
    ? replayTwice(source, SIDES, options)
    : { report: replay(source, SIDES, options), same: undefined };
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  progress.done();
  const stored = trace.engine === ENGINE_VERSION && to === undefined ? trace.hash : undefined;
  const verified = same === undefined ? undefined : same && (stored === undefined || stored === report.hash);
  const result = {
    events: report.events,
    derived: report.derived,
    checked: report.checked,
    bound: report.bound,
    unmodelled: report.unmodelled,
    diverged: report.diverged,
    divergences: report.divergences,
    hash: report.hash,
    engine: ENGINE_VERSION,
    stored: stored ?? null,
    verified: verified ?? null,
    eventsPerSecond: Math.round((report.events * (verify ? 2 : 1)) / Math.max(seconds, 1e-9)),
  };
  const executed = executes ? executeTrace(source) : undefined;
  if (args.flag('json')) await printJson(executed === undefined ? result : { ...result, executed });
  else await print(text(result) + (executed === undefined ? '' : executedText(executed)));
  const differs = executed?.difference !== undefined && executed.difference !== null;
  return report.diverged > 0 || verified === false || differs ? EXIT.found : EXIT.fine;
}

function lastEvent(text: string | undefined, count: number): number | undefined {
  if (text === undefined) return undefined;
  const seq = /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (seq <= count) return seq;
  throw new Problem(`replay: --to ${JSON.stringify(text)}: expected an event number from 1 to ${count}`);
}

interface Result {
  readonly events: number;
  readonly derived: number;
  readonly checked: number;
  readonly bound: Readonly<Record<string, number>>;
  readonly unmodelled: number;
  readonly diverged: number;
  readonly divergences: readonly {
    readonly at: string;
    readonly field: string;
    readonly expected: string;
    readonly actual: string;
    readonly rule: string;
  }[];
  readonly hash: string;
  readonly engine: string;
  readonly stored: string | null;
  readonly verified: boolean | null;
  readonly eventsPerSecond: number;
}

function text(result: Result): string {
  const bound = Object.entries(result.bound).map(([reason, n]) => `${n} ${reason}`);
  const lines = [
    ['events', `${result.events} recorded, ${result.derived} derived`],
    [
      'answers',
      `${result.checked} checked, ${bound.length === 0 ? 'none bound' : `bound: ${bound.join(', ')}`}`,
    ],
    ...(result.unmodelled > 0 ? [['unmodelled', `${result.unmodelled} answers that no rule covers`]] : []),
    ['divergences', String(result.diverged)],
    ['hash', `${result.hash} (engine ${result.engine})${storedText(result)}`],
    ...(result.verified === null ? [] : [['verified', result.verified ? 'yes' : 'NO: the hashes differ']]),
    ['speed', `${result.eventsPerSecond} events/s`],
  ];
  const rows = result.divergences
    .slice(0, SHOWN_DIVERGENCES)
    .map((d) => [`  ${d.at}`, d.field, `engine ${d.expected}`, `recorded ${d.actual}`, `(${d.rule})`]);
  const rest = result.diverged - rows.length;
  const listed = result.diverged > KEPT_DIVERGENCES ? `the first ${KEPT_DIVERGENCES}` : 'them';
  const more = rest === 0 ? '' : `  and ${rest} more (--json lists ${listed})\n`;
  return table(lines) + table(rows) + more;
}

function storedText(result: Result): string {
  if (result.stored === null) return '';
  return result.stored === result.hash ? ', as stored' : `, stored: ${result.stored}`;
}
