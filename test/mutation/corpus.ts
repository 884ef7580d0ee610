/** Everything that is changed: recordings of samples, scenarios of the tests, sections of the conformance tables, a real boot. */
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { play } from '../../engine/replay/play.ts';
import { type EventSource, memorySource } from '../../engine/replay/source.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { Profile, TraceHeader } from '../../engine/trace/profile.ts';
import { EventLineReader, parseHeader } from '../../engine/trace/text/index.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { openAny } from '../../tracer/share/open.ts';
import { isProblem } from '../../tracer/store/index.ts';
import { flow } from '../conformance/flow.ts';
import { readSection } from '../conformance/section.ts';
import { stepLine } from '../conformance/steps.ts';

const ROOT = join(import.meta.dirname, '../..');
const ENDING = '.hvtrace.ndjson';

/** Events as a recorder leaves them, with their answers and what stands below them. */
export interface Recording {
  readonly name: string;
  readonly header: TraceHeader;
  readonly events: readonly TraceEvent[];
  /** It was cut: what goes on at its end is not missing. */
  readonly cut?: boolean;
}

/** A recording to replay, or one of other events. */
export function sourceOf({ header, cut = false }: Recording, events: readonly TraceEvent[]): EventSource {
  return { ...memorySource(header, events), cut };
}

/** What the engine records of a scenario. */
export function played(name: string, header: TraceHeader, lines: readonly string[]): Recording {
  const reader = new EventLineReader(header.profile);
  const stimuli = lines.map((line) => {
    const next = reader.next(line);
    if ('problem' in next) throw new Error(`${name}: ${next.problem.message} in ${line}`);
    return next.event;
  });
  return { name, header, events: recordedOf(stimuli, header.profile) };
}

function recordedOf(stimuli: readonly TraceEvent[], profile: Profile): TraceEvent[] {
  const events: TraceEvent[] = [];
  play(stimuli, profile, SIDES, {
    step: ({ event }) => {
      events[event.seq - 1] = event;
    },
    journal: () => {},
    checkpoint: () => {},
  });
  return events;
}

function headerOf(line: string): TraceHeader {
  const read = parseHeader(line);
  if ('problem' in read) throw new Error(read.problem.message);
  return read.header;
}

function scenarios(pattern: string): Recording[] {
  return globSync(pattern, { cwd: ROOT })
    .sort()
    .map((path) => {
      const [first = '', ...lines] = readFileSync(join(ROOT, path), 'utf8').trimEnd().split('\n');
      return played(basename(path, ENDING), headerOf(first), lines);
    });
}

function sections(): Recording[] {
  return readdirSync(join(ROOT, 'test/conformance/sections'))
    .sort()
    .map((file) => {
      const { profile, steps } = readSection(file);
      const header = headerOf(JSON.stringify({ profile: flow(profile) }));
      const lines = steps.map((step, i) => stepLine(step, header.profile, i));
      return played(basename(file, '.txt'), header, lines);
    });
}

/**
 * Recordings small enough to be changed all over. Of the rules' scenarios those with a kernel that is known: the others show
 * hypercalls of kernels that err, without the calls that would explain them, and a change of those may be as good as they are.
 */
export function recordings(): Recording[] {
  return [
    ...scenarios(`samples/scenarios/*${ENDING}`),
    ...scenarios(`test/cli/corpus/*${ENDING}`),
    ...scenarios(`test/rules/corpus/*${ENDING}`).filter(({ header }) => header.profile.kernel !== 'unknown'),
    ...sections(),
  ];
}

/** The first events of QEMU's boot on the emulated device, as if its recorder had been killed there. */
export function bootOfQemu(events = Number.MAX_SAFE_INTEGER): Recording {
  const trace = openAny(join(ROOT, 'samples/qemu-seabios/q35.hvtrace.zst'));
  if (isProblem(trace)) throw new Error(trace.text);
  const { header, complete } = trace;
  const all = trace.events;
  const first = [...trace.range(1, events)];
  trace.close();
  const cut = !complete || first.length < all;
  return { name: 'qemu-seabios', header, events: cut ? first.map(openAt(first.at(-1)?.t ?? 0)) : first, cut };
}

/** Calls that had not returned by `t` have no answers yet. */
function openAt(t: number): (event: TraceEvent) => TraceEvent {
  return (event) => {
    if (event.kind !== 'ioctl' || (event.tEnd ?? event.t) <= t) return event;
    const { out: _out, tEnd: _tEnd, ...call } = event;
    return { ...call, ret: null };
  };
}
