/** A changed answer in the exported text is a divergence by the command line too (../mutation changes all of them). */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { formatHeader } from '../../engine/trace/text/index.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { mutationsOf, placeOf } from '../mutation/answers.ts';
import { recordings } from '../mutation/corpus.ts';
import { lineOf } from '../mutation/text.ts';
import { exits, json } from './hvrewind.testing.ts';

const folder = scratch();

describe('a changed field, exported, imported and replayed', () => {
  const recording = recordings().find(({ name }) => name === 'partition-life');
  assert.ok(recording !== undefined);
  const { header, events } = recording;
  const mutations = events.flatMap(mutationsOf).filter(({ of }) => of === 'answer');

  for (const [kind, field] of [
    ['msr', 'value'],
    ['msr', 'fault'],
    ['hypercall', 'status'],
    ['hypercall', 'reps'],
    ['ioctl', 'ret'],
  ] as const)
    test(`${field} of ${kind}`, async () => {
      const mutation = mutations.find((each) => each.field === field && each.event.kind === kind);
      assert.ok(mutation !== undefined, `no ${field} of ${kind}`);
      const changed = join(folder, `${kind}-${field}.ndjson`);
      const lines = events
        .with(mutation.event.seq - 1, mutation.changed())
        .map((event) => lineOf(header, event));
      writeFileSync(changed, `${[formatHeader(header), ...lines].join('\n')}\n`);
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
