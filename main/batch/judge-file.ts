import { check } from '../../engine/analysis/check.ts';
import type { ReplayOptions } from '../../engine/replay/replay.ts';
import { type EventSource, memorySource } from '../../engine/replay/source.ts';
import { compareExpected } from '../../engine/rules/expect.ts';
import { findingToJson } from '../../engine/rules/finding.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { eventTextImporter } from '../../tracer/import/event-text.ts';
import { ImportError } from '../../tracer/import/importer.ts';
import { Problem } from '../cli/problem.ts';
import { SIDES } from '../cli/sides.ts';
import { withTrace } from '../cli/trace.ts';
import { EVENT_TEXT } from './find.ts';
import type { JudgedTrace } from './judged.ts';

/** Runs `work` over the events of a trace, or of event text as `import` reads it; what is wrong with the file is a Problem. */
export async function withEvents<T>(file: string, work: (source: EventSource) => Promise<T>): Promise<T> {
  if (file.endsWith(EVENT_TEXT)) return work(await textSource(file));
  return withTrace(file, ({ source }) => work(source));
}

/** Judges one file by all rules. Throws a Problem of one line where it cannot be read. */
export function judgeFile(file: string, progress?: ReplayOptions['progress']): Promise<JudgedTrace> {
  return withEvents(file, async (source) => judge(file, source, progress));
}

function judge(file: string, source: EventSource, progress?: ReplayOptions['progress']): JudgedTrace {
  const { findings } = check(source, SIDES, progress);
  const expected = source.header.expect?.findings;
  const { missing, unexpected } = compareExpected(expected ?? [], findings);
  return {
    file,
    events: source.count,
    findings: findings.map(findingToJson),
    expectation:
      expected === undefined
        ? undefined
        : {
            missing: missing.map(({ rule, component }) => ({ rule, component })),
            unexpected: unexpected.map(findingToJson),
          },
  };
}

/** Event text as a source: it is written by hand or exported from a part, and fits in memory. */
async function textSource(file: string): Promise<EventSource> {
  try {
    const text = await eventTextImporter.open(file);
    const events: TraceEvent[] = [];
    try {
      for await (const batch of text.events) for (const event of batch) events.push(event);
    } finally {
      await text.close();
    }
    return memorySource(text.header, events);
  } catch (error) {
    if (error instanceof ImportError) throw new Problem(error.message);
    throw error;
  }
}
