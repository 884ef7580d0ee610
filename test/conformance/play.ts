import type { Machine } from '../../engine/machine/machine.ts';
import { play } from '../../engine/replay/play.ts';
import { replay } from '../../engine/replay/replay.ts';
import type { Step } from '../../engine/replay/step.ts';
import { CellPaths } from '../../engine/state/path.ts';
import type { EventKind, TraceEvent } from '../../engine/trace/event.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { EventLineReader, parseHeader } from '../../engine/trace/text/index.ts';
import { SIDES } from '../../main/cli/sides.ts';

/** A machine that has played everything, and what it did. */
export interface Run {
  readonly header: TraceHeader;
  /** Entries and returns, in the order in which they took effect. */
  readonly steps: readonly Step[];
  readonly machine: Machine;
  /** Where the recording of it, replayed, is not the same again. */
  readonly divergences: readonly string[];
}

export function headerOf(text: string): TraceHeader {
  const read = parseHeader(text);
  if ('problem' in read) throw new Error(read.problem.message);
  return read.header;
}

/** Plays stimuli that are given as event text, one a line, through the engine. */
export function playLines(header: TraceHeader, lines: readonly string[]): Run {
  const reader = new EventLineReader(header.profile);
  const stimuli = lines.map((line) => {
    const next = reader.next(line);
    if ('problem' in next) throw new Error(`${next.problem.message} in ${line}`);
    return next.event;
  });
  const steps: Step[] = [];
  const events: TraceEvent[] = [];
  const childKinds = new Set<EventKind>();
  let machine: Machine | undefined;
  play(stimuli, header.profile, SIDES, {
    step(step, on) {
      machine = on;
      steps.push(step);
      events[step.address.seq - 1] = step.event;
      if (step.event.parent !== undefined) childKinds.add(step.event.kind);
    },
    journal: () => {},
    checkpoint: () => {},
  });
  if (machine === undefined) throw new Error('nothing was played');
  const range = (from: number, to: number) => events.slice(from - 1, to);
  const report = replay({ header, count: events.length, childKinds, range }, SIDES);
  const divergences = report.divergences.map((found) =>
    JSON.stringify(found, (_, value: unknown) =>
      typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
    ),
  );
  return { header, steps, machine, divergences };
}

/** The value of a cell by its path; undefined where there is none now. */
export function cellOf({ machine: { store } }: Run, path: string): bigint | undefined {
  const paths = new CellPaths(store.tables.objects);
  const [cell] = paths.find(path) ?? [];
  if (cell === undefined || store.low(paths.objectOf(cell).id as number as typeof cell) !== 1)
    return undefined;
  return store.get(cell);
}
