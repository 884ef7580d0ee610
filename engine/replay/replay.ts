import { type BoundCounts, Machine, type Sides } from '../machine/machine.ts';
import type { StoreTables } from '../state/checkpoint.ts';
import { RunningHash } from '../state/hash.ts';
import type { JournalSink } from '../state/journal.ts';
import type { Divergence } from './compare.ts';
import type { OpenCall } from './frame.ts';
import { type Checkpoint, type History, HistoryBuilder } from './history.ts';
import { Replayer } from './replayer.ts';
import { type EventSource, LookAhead } from './source.ts';
import { firstOf, machineOf } from './start.ts';
import type { StepObserver } from './step.ts';

/** A checkpoint is taken at the first rest after this many events (seeking cost against memory). */
export const CHECKPOINT_EVENTS = 4096;

/** Stretches of a long trace that are replayed again by {@link replayTwice}. */
const VERIFIED_STRETCHES = 64;

export interface ReplayReport {
  readonly events: number;
  readonly derived: number;
  readonly checked: number;
  readonly bound: BoundCounts;
  readonly unmodelled: number;
  /** How many there are; those beyond KEPT_DIVERGENCES (compare.ts) are counted alone. */
  readonly diverged: number;
  readonly divergences: readonly Divergence[];
  /** Running hash over the whole journal, 16 hex digits. */
  readonly hash: string;
}

export interface ReplayOptions {
  /** Sees each step and the machine as it stands right after it. */
  readonly observe?: (step: Parameters<StepObserver>[0], machine: Machine) => void;
  /** Called every thousand events (some 5 ms) with the number replayed; false cancels. */
  readonly progress?: (events: number) => boolean;
  /** Replay ends after this event. */
  readonly to?: number;
}

/** Replays a trace and keeps nothing but the report: memory does not grow with its length. */
export function replay(source: EventSource, sides: Sides, options: ReplayOptions = {}): ReplayReport {
  return run(
    source,
    machineOf(source, sides),
    options,
    firstOf(source),
    reopening(source, source.start?.open),
    () => {},
  );
}

/** Replays a trace and keeps its history, for seeking and asking who wrote what. */
export function replayWithHistory(
  source: EventSource,
  sides: Sides,
  options: ReplayOptions = {},
): { readonly report: ReplayReport; readonly history: History } {
  const builder = new HistoryBuilder(Math.min(source.count, options.to ?? source.count));
  const sink: JournalSink = (chunk) => builder.chunks.push(chunk);
  const machine = machineOf(source, sides, sink);
  for (let seq = 1; seq < firstOf(source); seq++) builder.start(seq, machine.store.entries);
  const observe: ReplayOptions['observe'] = (step, m) => {
    builder.observe(step);
    options.observe?.(step, m);
  };
  const checkpoints = atRests(machine, CHECKPOINT_EVENTS, (checkpoint) =>
    builder.checkpoints.push(checkpoint),
  );
  const report = run(
    source,
    machine,
    { ...options, observe },
    firstOf(source),
    reopening(source, source.start?.open),
    (replayer, next) => {
      builder.start(next, machine.store.entries);
      checkpoints(replayer, next);
    },
  );
  return { report, history: builder.build(machine.store.tables) };
}

/**
 * Replays a trace twice: at each checkpoint the stretch that led there is replayed again from the checkpoint before,
 * and both must have come to one hash (`same`). Keeps two checkpoints, however long the trace is.
 */
export function replayTwice(
  source: EventSource,
  sides: Sides,
  options: ReplayOptions = {},
): { readonly report: ReplayReport; readonly same: boolean } {
  const machine = machineOf(source, sides);
  let from: Checkpoint | undefined;
  let same = true;
  const again = (to: number, hash: string): void => {
    if (from === undefined) return;
    if (replaySegment(source, sides, from, to, machine.store.tables) !== hash) same = false;
  };
  // To continue from a checkpoint costs what was ever created until then.
  const stretch = Math.max(CHECKPOINT_EVENTS, Math.ceil(source.count / VERIFIED_STRETCHES));
  const checkpoints = atRests(machine, stretch, (checkpoint) => {
    again(checkpoint.nextSeq - 1, new RunningHash(checkpoint.store.hash).digest());
    from = checkpoint;
  });
  const report = run(
    source,
    machine,
    options,
    firstOf(source),
    reopening(source, source.start?.open),
    checkpoints,
  );
  again(source.count, report.hash);
  return { report, same };
}

/** Before an event: hands over a checkpoint at the first and at each first rest after so many events. */
function atRests(
  machine: Machine,
  events: number,
  take: (checkpoint: Checkpoint) => void,
): (replayer: Replayer, next: number) => void {
  let last = -events;
  return (replayer, next) => {
    if (next - last < events || !replayer.atRest) return;
    last = next;
    take({ nextSeq: next, store: machine.store.checkpoint(), open: replayer.openCalls() });
  };
}

/**
 * Replays from one checkpoint to the next (or to the end) and returns the hash there: the second half of
 * `--verify`, and the way to see derived events again without keeping them. `read` hears which cell is read.
 */
export function replaySegment(
  source: EventSource,
  sides: Sides,
  from: Checkpoint,
  to: number,
  tables: StoreTables,
  observe?: ReplayOptions['observe'],
  read?: (cell: number) => void,
): string {
  const { profile } = source.header;
  const machine = Machine.restored(profile, sides, from.store, tables, undefined, read);
  const options = observe === undefined ? { to } : { observe, to };
  return run(source, machine, options, from.nextSeq, reopening(source, from.open), () => {}).hash;
}

/** Puts calls back that are under way where a replay begins. */
export function reopening(
  source: EventSource,
  calls: readonly OpenCall[] = [],
): (replayer: Replayer) => void {
  return (replayer) => {
    for (const call of calls)
      for (const event of source.range(call.seq, call.seq)) replayer.reopen(event, call);
  };
}

/** Replays events from number `from` on with a machine that stands there; `prepare` and `before` hear the replayer. */
export function run(
  source: EventSource,
  machine: Machine,
  options: ReplayOptions,
  from: number,
  prepare: (replayer: Replayer) => void,
  before: (replayer: Replayer, next: number) => void,
): ReplayReport {
  const { observe, progress } = options;
  const replayer = new Replayer({
    machine,
    numbering: 'derive',
    childKinds: source.childKinds,
    ...(observe === undefined ? {} : { observe: (step) => observe(step, machine) }),
    lastSeq: from - 1,
    ...(source.supposed === undefined ? {} : { supposed: source.supposed }),
  });
  prepare(replayer);
  const to = Math.min(options.to ?? source.count, source.count);
  const events = new LookAhead(source.range(from, source.count));
  machine.ahead = events;
  for (let seq = from; seq <= to; seq++) {
    const event = events.next();
    if (event === undefined) break;
    before(replayer, seq);
    replayer.feed(event, events);
    if ((seq & 0x3ff) === 0 && progress?.(seq) === false) break;
  }
  if (to === source.count) replayer.finish(source.cut);
  machine.store.flush();
  const { verdict } = replayer;
  return {
    events: replayer.events,
    derived: replayer.derived,
    checked: verdict.checked,
    bound: machine.bound,
    unmodelled: verdict.unmodelled,
    diverged: verdict.diverged,
    divergences: verdict.divergences,
    hash: machine.store.hash(),
  };
}
