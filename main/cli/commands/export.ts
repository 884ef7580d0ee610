import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { StepArchive } from '../../../engine/replay/derived.ts';
import { replayWithHistory } from '../../../engine/replay/replay.ts';
import type { EventSource } from '../../../engine/replay/source.ts';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import { HeldMemory } from '../../../engine/trace/held-memory.ts';
import { type Address, at } from '../../../engine/trace/position.ts';
import { formatEvent, textContext } from '../../../engine/trace/text/index.ts';
import { LineNumbers } from '../../../engine/trace/text/line-numbers.ts';
import { writeProblem } from '../../../tracer/store/problem.ts';
import type { Arguments } from '../command.ts';
import { headerLine } from '../header-line.ts';
import { tellHeld } from '../held.ts';
import { print } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { SIDES } from '../sides.ts';
import { withTrace } from '../trace.ts';
import { refuseInput } from '../trace-output.ts';

const CHUNK_CHARS = 1 << 16;

/** `hvrewind export`: a trace as event text, or many as tables. */
export async function run(args: Arguments): Promise<number> {
  const format = args.value('format') ?? 'events';
  if (format === 'parquet') {
    if (args.flag('derived')) throw new Problem('export: --derived goes with --format events; leave it out');
    const { exportParquet } = await import('../parquet.ts');
    return exportParquet(args);
  }
  if (format !== 'events') {
    throw new Problem(`export: --format ${JSON.stringify(format)}: expected events, parquet`);
  }
  if (args.operands.length > 1) {
    throw new Problem(
      `export: unexpected ${JSON.stringify(args.operands[1])}; only --format parquet takes several`,
    );
  }
  return withTrace(args.operands[0] ?? '', async ({ source }) => {
    if (source.start !== undefined && args.flag('derived'))
      throw new Problem('export: its events count from the state with which it starts; leave out --derived');
    const held = new HeldMemory();
    const lines = eventLines(noted(source, held), args.flag('derived'));
    const path = args.value('output');
    if (path === undefined) await toStdout(lines);
    else {
      refuseInput('export', path, args.operands[0] ?? '');
      toFile(path, args.flag('force'), lines);
    }
    tellHeld(path ?? 'stdout', held.pages);
    return EXIT.fine;
  });
}

/** The same events; what of them is guest memory is noted as they are read. */
function noted(source: EventSource, held: HeldMemory): EventSource {
  return {
    ...source,
    *range(from, to) {
      for (const event of source.range(from, to)) {
        held.note(event);
        yield event;
      }
    },
  };
}

function* eventLines(source: EventSource, derived: boolean): Iterable<string> {
  yield headerLine('export', source);
  if (derived) yield* withDerived(source);
  else {
    const context = textContext(source.header.profile);
    for (const event of source.range(1, source.count)) yield formatEvent(event, context);
  }
}

/** Derived events become lines below their stimulus, so that lines and parents are numbered anew. */
function* withDerived(source: EventSource): Iterable<string> {
  const context = textContext(source.header.profile);
  const { history } = replayWithHistory(source, SIDES);
  const archive = new StepArchive(source, SIDES, history);
  const lines = new LineNumbers();
  const line = (event: TraceEvent, address: Address, parent: Address | undefined): string => {
    lines.add(address);
    const above = parent === undefined ? undefined : lines.of(parent);
    return formatEvent(event, context, above === undefined ? {} : { parent: above });
  };
  for (const event of source.range(1, source.count)) {
    yield line(event, at(event.seq), event.parent === undefined ? undefined : at(event.parent));
    for (let sub = 1; sub <= history.derivedBelow(event.seq); sub++) {
      const step = archive.step(at(event.seq, sub));
      if (step !== undefined) yield line(step.event, step.address, step.parent);
    }
  }
}

async function toStdout(lines: Iterable<string>): Promise<void> {
  for (const chunk of chunks(lines)) await print(chunk);
}

function toFile(path: string, force: boolean, lines: Iterable<string>): void {
  const file = writing(path, () => openSync(path, force ? 'w' : 'wx'));
  let done = false;
  try {
    for (const chunk of chunks(lines)) writing(path, () => writeSync(file, chunk));
    done = true;
  } finally {
    closeSync(file);
    if (!done) rmSync(path, { force: true });
  }
}

/** Runs a file operation; what the system refuses is a Problem. */
function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new Problem(`export: ${path}: exists already; name another file or replace it with --force`);
    throw new Problem(`export: ${writeProblem(path, error).text}`);
  }
}

function* chunks(lines: Iterable<string>): Iterable<string> {
  let chunk = '';
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}
