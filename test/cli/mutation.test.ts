/**
 * Zero divergences mean something only if a wrong answer is one. Every field of every sample that replay compares
 * is changed in the exported text, by itself; reading the text and replaying it must report a divergence at that
 * position and that field.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { play } from '../../engine/replay/play.ts';
import { replay } from '../../engine/replay/replay.ts';
import { memorySource } from '../../engine/replay/source.ts';
import { formatEvent, formatHeader, textContext } from '../../engine/trace/text/index.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { exits, json, SAMPLES, scratch } from './hvrewind.testing.ts';
import { placeOf, Text } from './mutated-text.testing.ts';
import { type Mutation, mutationsOf } from './mutations.testing.ts';

const folder = scratch();
const CORPUS = [
  ...SAMPLES.map(({ path }) => path),
  ...globSync(join(import.meta.dirname, 'corpus/*.hvtrace.ndjson')),
  join(import.meta.dirname, '../rules/corpus/mid-life.hvtrace.ndjson'),
].sort();

const nameOf = (path: string): string => basename(path, '.hvtrace.ndjson');

/** What `run` and `export` make of a scenario. */
function exported(path: string): string {
  const { header, events: stimuli } = new Text(readFileSync(path, 'utf8'));
  const context = textContext(header.profile);
  const lines: string[] = [];
  play(stimuli, header.profile, SIDES, {
    step: ({ event }) => {
      lines[event.seq - 1] = formatEvent(event, context);
    },
    journal: () => {},
    checkpoint: () => {},
  });
  return [formatHeader(header), ...lines].join('\n');
}

const texts = new Map(CORPUS.map((path) => [path, new Text(exported(path))]));

describe('a changed field is a divergence there', () => {
  let [answers, requests] = [0, 0];
  after(() => console.log(`mutations: ${answers} of answers, ${requests} of requests, all of them found`));

  for (const path of CORPUS)
    test(nameOf(path), () => {
      const text = texts.get(path);
      assert.ok(text !== undefined);
      const untouched = replay(memorySource(text.header, text.events), SIDES);
      assert.deepEqual(untouched.divergences, []);
      const mutations = text.events.flatMap(mutationsOf);
      const fields = new Set(
        mutations.filter(({ bound }) => bound !== true).map((m) => `${placeOf(m)} ${m.field} ${m.of}`),
      );
      assert.equal(fields.size, untouched.checked, 'fields changed, and fields that replay compares');
      for (const mutation of mutations) {
        const { divergences } = replay(memorySource(text.header, text.with(mutation)), SIDES);
        const at = placeOf(mutation);
        assert.ok(
          divergences.some((found) => found.at === at && found.field === mutation.field),
          `${text.line(mutation.event)}: ${mutation.field} at ${at}: ${JSON.stringify(divergences.slice(0, 3))}`,
        );
        if (mutation.of === 'answer') answers++;
        else requests++;
      }
    });
});

describe('the same by the command line', () => {
  const path = CORPUS.find((candidate) => nameOf(candidate) === 'partition-life') ?? '';
  const pick = (text: Text, field: string, kind: string): Mutation => {
    const all = text.events.flatMap(mutationsOf).filter((m) => m.of === 'answer' && m.field === field);
    const found = all.find(({ event }) => event.kind === kind);
    assert.ok(found !== undefined, `no ${field} of ${kind}`);
    return found;
  };

  for (const [kind, field] of [
    ['msr', 'value'],
    ['msr', 'fault'],
    ['hypercall', 'status'],
    ['hypercall', 'reps'],
    ['hypercall', 'output'],
    ['ioctl', 'ret'],
  ] as const)
    test(`${field} of ${kind}`, async () => {
      const text = texts.get(path);
      assert.ok(text !== undefined);
      const mutation = pick(text, field, kind);
      const changed = join(folder, `${kind}-${field}.ndjson`);
      const lines = text.events
        .map((event) => text.line(event))
        .with(mutation.event.seq - 1, text.line(mutation.event));
      writeFileSync(changed, `${[formatHeader(text.header), ...lines].join('\n')}\n`);
      const trace = join(folder, `${kind}-${field}.hvtrace`);
      await exits(0, ['import', changed, '-o', trace]);
      const { divergences } = await json<{ divergences: readonly { at: string; field: string }[] }>(1, [
        'replay',
        trace,
      ]);
      assert.ok(
        divergences.some((found) => found.at === placeOf(mutation) && found.field === field),
        JSON.stringify(divergences),
      );
    });
});
