import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventAccess } from '../../../engine/filter/event-access.ts';
import { eventFields } from '../../../engine/filter/fields.ts';
import { readFilter } from '../../../engine/filter/filter.ts';
import { compilePredicate } from '../../../engine/filter/predicate.ts';
import { toSql } from '../../../engine/filter/sql.ts';
import { dialectOf } from '../../../engine/trace/dialect.ts';
import { type DIALECTS, EVENT_KINDS, PROVENANCES, type TraceEvent } from '../../../engine/trace/event.ts';
import { traces } from '../../../engine/trace/events.testing.ts';
import { formatHandle, formatVp } from '../../../engine/trace/handle.ts';
import { at } from '../../../engine/trace/position.ts';
import { good } from '../good.testing.ts';
import { headerOf } from '../header.testing.ts';
import { openTrace, TraceWriter } from '../index.ts';
import { scratch } from '../scratch.testing.ts';

const folder = scratch();

type DialectName = (typeof DIALECTS)[number];

const fields = (dialect: DialectName) =>
  eventFields({ dialect, replayed: false, components: [], rules: [], paths: [] });

/** Comparisons with values that the events have, near them, or that none has. */
function filtersFor(events: readonly TraceEvent[]): fc.Arbitrary<string> {
  const ops = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
  const numbers = (found: readonly (number | bigint | undefined)[]): fc.Arbitrary<string> =>
    fc
      .tuple(
        fc.constantFrom(0n, 2n, ...found.flatMap((n) => (n === undefined ? [] : [BigInt(n)]))),
        fc.constantFrom(-1n, 0n, 1n),
      )
      .map(([value, by]) => (value + by < 0n ? '0' : `${value + by}`));
  const number = (name: string, values: readonly (number | bigint | undefined)[]): fc.Arbitrary<string> =>
    fc.tuple(ops, numbers(values)).map(([op, value]) => `${name} ${op} ${value}`);
  const all = <T>(read: (event: TraceEvent) => T): T[] => events.map(read);
  const leaf = fc.oneof(
    number(
      'seq',
      all((e) => e.seq),
    ),
    number(
      'cpu',
      all((e) => e.cpu),
    ),
    number(
      'pid',
      all((e) => e.pid),
    ),
    number(
      'tid',
      all((e) => e.tid),
    ),
    number(
      'partition',
      all((e) => (e.kind === 'lifecycle' ? e.partition : e.vp?.partition)),
    ),
    number(
      'vp',
      all((e) => e.vp?.vp),
    ),
    number(
      'op',
      all((e) => ('op' in e ? e.op : e.kind === 'intercept' ? e.type : undefined)),
    ),
    number(
      'code',
      all((e) => (e.kind === 'hypercall' ? e.control & 0xffffn : undefined)),
    ),
    number(
      'msr',
      all((e) => (e.kind === 'msr' ? e.msr : undefined)),
    ),
    number(
      'status',
      all((e) => (e.kind === 'hypercall' ? e.result?.status : undefined)),
    ),
    number(
      'errno',
      all((e) => ('ret' in e && e.ret !== undefined && e.ret !== null && e.ret < 0 ? -e.ret : undefined)),
    ),
    number(
      'ret',
      all((e) => ('ret' in e ? (e.ret ?? undefined) : undefined)),
    ),
    number('fault', [0, 1]),
    fc.constantFrom('dur', 'fault', 'handle', 'component', 'partition', 'vp', 'errno', 'op', 'ret', 'cpu'),
    fc.constantFrom(...EVENT_KINDS).map((kind) => `kind == ${kind}`),
    fc.constantFrom(...PROVENANCES).map((word) => `provenance == ${word}`),
    fc.constantFrom('component == mshv', 'component ~ "m|v"', 'handle ~ "vp"', 'dur > 5us', 't <= 90us'),
    fc
      .constantFrom('MSHV_RUN_VP', 'MSHV_CREATE_VP', 'write', 'deliver', 'kexec')
      .map((name) => `op == ${name}`),
    fc
      .constantFrom(
        'vp:0.0',
        ...all((e) => ('handle' in e && e.handle !== undefined ? formatHandle(e.handle) : 'device')),
      )
      .map((name) => `handle == "${name}"`),
    fc
      .constantFrom(
        '0.0',
        ...all((e) => (e.vp?.partition === undefined || e.vp.vp === undefined ? '1.1' : formatVp(e.vp))),
      )
      .map((name) => `vp == ${name}`),
  );
  return fc.oneof(
    leaf,
    leaf.map((a) => `!(${a})`),
    fc.tuple(leaf, leaf).map(([a, b]) => `${a} && ${b}`),
    fc.tuple(leaf, leaf).map(([a, b]) => `${a} || !(${b})`),
  );
}

test('the columns of the file choose the events that the filter chooses', () => {
  const path = join(folder, 'filter.hvtrace');
  let some = 0;
  let exact = 0;
  fc.assert(
    fc.property(
      traces(40),
      fc.constantFrom('upstream-7.2' as const, 'rfc2020', 'vtl'),
      fc.infiniteStream(fc.nat()),
      (events, kernel, seeds) => {
        const writer = good(TraceWriter.create(path, headerOf({ kernel }), { force: true }));
        for (const event of events) writer.append(event);
        writer.close();
        const reader = good(openTrace(path));
        const dialect = dialectOf(kernel);
        const access = eventAccess<TraceEvent>({
          dialect,
          eventOf: (event) => event,
          addressOf: (event) => at(event.seq),
          parentOf: () => undefined,
          changes: () => () => false,
          rulesOf: () => [],
        });
        for (const text of fc.sample(filtersFor(events), { numRuns: 12, seed: seeds.next().value ?? 0 })) {
          const filter = readFilter(text, fields(dialect));
          assert.ok(filter.ok, text);
          const { plan } = filter.value;
          const holds = compilePredicate(plan, access);
          const expected = events.filter((event) => holds(event));
          const sql = toSql(plan, reader.columns);
          const rest = sql.residual === null ? () => true : compilePredicate(sql.residual, access);
          const found = [...reader.select(sql)].filter((event) => rest(event));
          assert.deepEqual(
            found.map(({ seq }) => seq),
            expected.map(({ seq }) => seq),
            text,
          );
          if (sql.exact) {
            exact += 1;
            assert.equal(reader.count(sql), expected.length);
          }
          if (expected.length > 0 && expected.length < events.length) some += 1;
        }
        reader.close();
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(some > 100, `only ${some} filters chose some of the events`);
  assert.ok(exact > 500, `only ${exact} filters were all SQL`);
});
