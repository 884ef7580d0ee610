import { closeSync, fsyncSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openAny } from '../../../tracer/share/open.ts';
import { pack } from '../../../tracer/share/pack.ts';
import { isProblem } from '../../../tracer/store/index.ts';
import { createTrace, playedLoad } from '../load.ts';
import { type Measure, type Measured, perSecond, rates, type Took, timed } from '../measure.ts';
import { HOST, type Mix, MSRS_AND_HYPERCALLS } from '../mixed.ts';

const EVENTS = 200_000;
const GOAL_EVENTS_PER_SECOND = 400_000;
const GOAL_BYTES_RECORDED = 220;
const GOAL_BYTES_PACKED = 24;
const REPEATS = 3;

export const measure: Measure = async ({ folder, trace }) => {
  const [mixed, plain] = [await written(folder, HOST), await written(folder, MSRS_AND_HYPERCALLS)];
  const append = appendMs(join(folder, 'append'), mixed.bytes);
  return [
    {
      what: 'store: events appended, mixed load',
      goal: `≥ ${GOAL_EVENTS_PER_SECOND.toLocaleString('en')}/s`,
      value: `${rates(mixed.events, mixed.took)}, ${(mixed.took.ms / append).toFixed(1)}x a plain append of as many bytes`,
      held: perSecond(mixed.events, mixed.took.ms) >= GOAL_EVENTS_PER_SECOND,
    },
    {
      what: 'store: events appended, MSR accesses and hypercalls',
      goal: `≥ ${GOAL_EVENTS_PER_SECOND.toLocaleString('en')}/s`,
      value: rates(plain.events, plain.took),
      held: perSecond(plain.events, plain.took.ms) >= GOAL_EVENTS_PER_SECOND,
    },
    ...sizes('mixed load', mixed),
    ...sizes('MSR accesses and hypercalls', plain, GOAL_BYTES_PACKED),
    journalSize(trace),
  ];
};

interface Written {
  readonly events: number;
  readonly took: Took;
  readonly bytes: number;
  readonly packed: number;
}

async function written(folder: string, mix: Mix): Promise<Written> {
  const { header, events } = playedLoad(EVENTS, mix);
  const path = join(folder, 'store.hvtrace');
  let best: Took = { ms: Number.POSITIVE_INFINITY, cpuMs: Number.POSITIVE_INFINITY };
  for (let i = 0; i < REPEATS; i++) {
    const took = timed(() => {
      const writer = createTrace(path, header);
      for (const event of events) writer.append(event);
      writer.close();
    });
    if (took.ms < best.ms) best = took;
  }
  const reader = openAny(path);
  if (isProblem(reader)) throw new Error(reader.text);
  const packed = pack(reader, join(folder, 'store.hvtrace.zst'), { force: true });
  reader.close();
  if (isProblem(packed)) throw new Error(packed.text);
  return { events: events.length, took: best, bytes: statSync(path).size, packed: packed.bytes };
}

function sizes(name: string, { events, bytes, packed }: Written, goalPacked?: number): Measured[] {
  const goal =
    goalPacked === undefined ? {} : { goal: `≤ ${goalPacked} B`, held: packed / events <= goalPacked };
  return [
    {
      what: `size of an event, recorded: ${name}`,
      goal: `≤ ${GOAL_BYTES_RECORDED} B`,
      value: `${(bytes / events).toFixed(1)} B`,
      held: bytes / events <= GOAL_BYTES_RECORDED,
    },
    { what: `size of an event, packed: ${name}`, value: `${(packed / events).toFixed(1)} B`, ...goal },
  ];
}

/** How long appending as many bytes to a file takes, flushed to disk. */
function appendMs(path: string, bytes: number): number {
  const piece = new Uint8Array(1 << 16);
  const { ms } = timed(() => {
    const file = openSync(path, 'w');
    for (let done = 0; done < bytes; done += piece.length) writeSync(file, piece);
    fsyncSync(file);
    closeSync(file);
  });
  return ms;
}

function journalSize(trace: string): Measured {
  const db = new DatabaseSync(trace, { readOnly: true });
  const one = (sql: string): number => Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);
  const events = one('SELECT count(*) FROM event');
  const journal = one('SELECT sum(length(data)) FROM journal') / events;
  const checkpoints = one('SELECT sum(length(state) + length(growth)) FROM checkpoint') / events;
  db.close();
  return {
    what: 'journal of an event, stored',
    goal: '≤ 200 B',
    value: `${journal.toFixed(1)} B (and ${checkpoints.toFixed(1)} B of checkpoints)`,
    held: journal <= 200,
  };
}
