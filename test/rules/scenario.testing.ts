/** Scenarios as rules see them: read from event text, replayed and judged. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Checked, check } from '../../engine/analysis/check.ts';
import { type EventSource, memorySource } from '../../engine/replay/source.ts';
import type { Finding } from '../../engine/rules/finding.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { parseHeader } from '../../engine/trace/text/header.ts';
import { EventLineReader } from '../../engine/trace/text/reader.ts';
import { SIDES } from '../../main/cli/sides.ts';

/** What the rules were proven on beside the samples: the files. */
export const CORPUS = globSync(join(import.meta.dirname, 'corpus/*.hvtrace.ndjson')).sort();

/** The lines of a scenario: the header and the events. */
export function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** A scenario, with `edit` applied to its profile. */
export function load(file: string, edit: Record<string, string> = {}): EventSource {
  const [first = '{}', ...lines] = linesOf(file);
  const given = JSON.parse(first);
  const read = parseHeader(JSON.stringify({ ...given, profile: { ...given.profile, ...edit } }));
  assert.ok('header' in read, `${file}: not a header`);
  const reader = new EventLineReader(read.header.profile);
  const events: TraceEvent[] = lines.map((line) => {
    const next = reader.next(line);
    assert.ok('event' in next, `${file}: not an event: ${line}`);
    return next.event;
  });
  return memorySource(read.header, events);
}

/** What replay and rules say of it. */
export function judged(source: EventSource): Checked {
  return check(source, SIDES);
}

export function findingsOf(source: EventSource): readonly Finding[] {
  return judged(source).findings;
}
