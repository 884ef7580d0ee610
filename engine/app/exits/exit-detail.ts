import { registers } from '../../abi/lookup/registers.ts';
import type { ObjectRow } from '../../state/store.ts';
import type { IoctlEvent, TraceEvent } from '../../trace/event.ts';
import { formatVp } from '../../trace/handle.ts';
import { type Address, at, RETURN_SUB } from '../../trace/position.ts';
import type { EventRow } from '../api.ts';
import type { ExitDetail, RegisterView } from '../api-exits.ts';
import { buffersOf } from '../buffers.ts';
import type { StateExplorer } from '../cells.ts';
import type { EventReader } from '../lists.ts';
import type { RowMaker } from '../rows.ts';
import type { SessionParts } from '../session-parts.ts';
import { answered, type Exit, type ExitIndex, isRun } from './exit-index.ts';
import { exitRow } from './exit-row.ts';
import { isAlwaysShown, REGISTER_ORDER, registersAt } from './vp-registers.ts';

export interface ExitGround {
  readonly parts: SessionParts;
  readonly index: ExitIndex;
  readonly state: StateExplorer;
  readonly reader: EventReader;
  readonly rows: RowMaker;
}

/** Calls of an answer that are listed; a longer one is in the grid. */
const MAX_CALLS = 200;

/** One exit in full. */
export function exitDetail(exit: Exit, ground: ExitGround): ExitDetail {
  const { parts, index } = ground;
  const event = runOf(exit, ground);
  const message = buffersOf(event, parts.source.header.profile).find(({ name }) => name === 'out.data');
  const place = (number: number | undefined): string | undefined =>
    number === undefined ? undefined : String(index.seqs[number]);
  const [previous, next] = [place(exit.previous), place(exit.next)];
  return {
    row: exitRow(exit, event, index, exit.number),
    ...(message === undefined ? {} : { message }),
    registers: registersOf(exit, event, ground),
    answer: answerOf(exit, event, ground),
    ...(previous === undefined ? {} : { previous }),
    ...(next === undefined ? {} : { next }),
  };
}

/** Events between two calls that are read over rather than asked for anew. */
const NEAR_EVENTS = 256;

/** The calls of exits (numbers, ascending) with their answers, in one pass where they are close. */
export function* runsOf(
  numbers: Iterable<number>,
  { parts, index, reader }: ExitGround,
): Iterable<{ readonly exit: Exit; readonly run: IoctlEvent }> {
  const { source } = parts;
  let events: Iterator<TraceEvent> | undefined;
  let read = 0;
  for (const number of numbers) {
    const exit = index.exit(number);
    if (events === undefined || exit.seq - read > NEAR_EVENTS) {
      events?.return?.();
      events = source.range(exit.seq, source.count)[Symbol.iterator]();
    }
    let step = events.next();
    while (!step.done && step.value.seq < exit.seq) step = events.next();
    if (step.done || step.value.kind !== 'ioctl') throw new Error(`event ${exit.seq} is no call`);
    read = exit.seq;
    yield { exit, run: answered(step.value, reader) };
  }
  events?.return?.();
}

/** Calls of the VMM from the exit to the VP's next entry: to the VP, or of the thread that had run it. */
function answerOf(exit: Exit, run: IoctlEvent, { parts, index, rows }: ExitGround): EventRow[] {
  const { source } = parts;
  const end = exit.next === undefined ? source.count + 1 : (index.seqs[exit.next] as number);
  const found: EventRow[] = [];
  const vp = vpText(run);
  // Once the thread has run another VP, what it does to the partition answers that one.
  let threadIsOurs = true;
  for (const event of source.range(exit.seq + 1, end - 1)) {
    if (found.length >= Math.min(MAX_CALLS, exit.calls)) break;
    if (event.kind !== 'ioctl' || event.parent !== undefined) continue;
    if (event.tid === run.tid && isRun(event, source.header.profile)) threadIsOurs = false;
    const ours = event.handle.kind === 'vp' ? vpText(event) === vp : threadIsOurs && event.tid === run.tid;
    if (ours) found.push(rows.row(event, at(event.seq), undefined, 0));
  }
  return found;
}

function runOf(exit: Exit, ground: ExitGround): IoctlEvent {
  for (const { run } of runsOf([exit.number], ground)) return run;
  throw new Error(`exit ${exit.number} has no call`);
}

function vpText(event: TraceEvent): string | undefined {
  return event.kind === 'ioctl' && event.handle.kind === 'vp' ? formatVp(event.handle) : undefined;
}

type Values = ReadonlyMap<number, string | null>;

function registersOf(exit: Exit, run: IoctlEvent, { parts, index, state }: ExitGround): RegisterView[] {
  const vp = vpRow(run, parts);
  if (vp === undefined) return [];
  const values = (address: Address | undefined): Values | undefined => {
    if (address === undefined || !parts.history.has(address)) return undefined;
    state.image.seek(address);
    return registersAt(state.image, vp);
  };
  const entry = values(at(exit.seq));
  const after = values(at(exit.seq, RETURN_SUB));
  const next = values(exit.next === undefined ? undefined : at(index.seqs[exit.next] as number));
  const views: RegisterView[] = [];
  for (const name of REGISTER_ORDER) {
    const [a, b, c] = [entry?.get(name) ?? null, after?.get(name) ?? null, next?.get(name) ?? null];
    const byGuest = a !== null && b !== null && a !== b;
    const byVmm = b !== null && c !== null && b !== c;
    if (!isAlwaysShown(name) && !byGuest && !byVmm) continue;
    views.push({ name: shortName(name), entry: a, exit: b, next: c, byGuest, byVmm });
  }
  return views;
}

/** Register names without what all have in common. */
function shortName(name: number): string {
  return registers.name(name).replace(/^HV_(X64_)?REGISTER_/, '');
}

/** The VP in the allocation table. */
function vpRow(run: IoctlEvent, { history }: SessionParts): ObjectRow | undefined {
  if (run.handle.kind !== 'vp') return undefined;
  const { partition, vp } = run.handle;
  if (partition === undefined || vp === undefined) return undefined;
  const { objects } = history.tables;
  const owner = objects.find((row) => row.kind.name === 'partition' && BigInt(row.key) === partition);
  return objects.find(
    (row) => row.kind.name === 'vp' && row.parent === owner?.id && BigInt(row.key) === BigInt(vp),
  );
}
