import { replay, replaySegment, replayWithHistory } from '../../../engine/replay/replay.ts';
import type { EventSource } from '../../../engine/replay/source.ts';
import { RunningHash } from '../../../engine/state/hash.ts';
import { ENGINE_VERSION } from '../../../engine/version.ts';
import type { Arguments } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { SIDES } from '../sides.ts';
import { type OpenTrace, withTrace } from '../trace.ts';

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
  const progress = progressLine('replay', source.count);
  const started = process.hrtime.bigint();
  const options = { progress: progress.report, ...(to === undefined ? {} : { to }) };
  const { report, history } = verify
    ? replayWithHistory(source, SIDES, options)
    : { report: replay(source, SIDES, options), history: undefined };
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  progress.done();
  const again = history === undefined ? undefined : fromCheckpoints(source, history, report.hash);
  const stored = trace.engine === ENGINE_VERSION && to === undefined ? trace.hash : undefined;
  const verified =
    again === undefined ? undefined : again && (stored === undefined || stored === report.hash);
  const result = {
    events: report.events,
    derived: report.derived,
    checked: report.checked,
    bound: report.bound,
    unmodelled: report.unmodelled,
    divergences: report.divergences,
    hash: report.hash,
    engine: ENGINE_VERSION,
    stored: stored ?? null,
    verified: verified ?? null,
    eventsPerSecond: Math.round(report.events / Math.max(seconds, 1e-9)),
  };
  if (args.flag('json')) await printJson(result);
  else await print(text(result));
  return report.divergences.length > 0 || verified === false ? EXIT.found : EXIT.fine;
}

/** Replays each stretch between two checkpoints on its own; true when every stretch ends with the same hash. */
function fromCheckpoints(
  source: EventSource,
  { checkpoints, tables }: ReturnType<typeof replayWithHistory>['history'],
  hash: string,
): boolean {
  return checkpoints.every((from, i) => {
    const next = checkpoints[i + 1];
    const to = next === undefined ? source.count : next.nextSeq - 1;
    const wanted = next === undefined ? hash : new RunningHash(next.store.hash).digest();
    return replaySegment(source, SIDES, from, to, tables) === wanted;
  });
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
    ['divergences', String(result.divergences.length)],
    ['hash', `${result.hash} (engine ${result.engine})${storedText(result)}`],
    ...(result.verified === null ? [] : [['verified', result.verified ? 'yes' : 'NO: the hashes differ']]),
    ['speed', `${result.eventsPerSecond} events/s`],
  ];
  const rows = result.divergences.map((d) => [
    `  ${d.at}`,
    d.field,
    `engine ${d.expected}`,
    `recorded ${d.actual}`,
    `(${d.rule})`,
  ]);
  return table(lines) + table(rows);
}

function storedText(result: Result): string {
  if (result.stored === null) return '';
  return result.stored === result.hash ? ', as stored' : `, stored: ${result.stored}`;
}
