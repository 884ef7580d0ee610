/** What commands print: JSON by its schema, states at positions, filtered events, help. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { check } from '../../engine/trace/schema/check.testing.ts';
import type { JsonSchema } from '../../engine/trace/schema/json-schema.ts';
import { COMMON_OPTIONS } from '../../main/cli/arguments.ts';
import { COMMANDS } from '../../main/cli/table.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { exits, hvrewind, json, sample } from './hvrewind.testing.ts';

const folder = scratch();
const at = (name: string): string => join(folder, name);
/** Everything recorded. */
const trace = at('played.hvtrace');
/** Stimuli alone: everything below them is derived. */
const stimuli = at('stimuli.hvtrace');

before(async () => {
  const scenario = sample('teardown-l1vh-kexec-before');
  await Promise.all([
    exits(0, ['run', scenario, '-o', trace]),
    exits(0, ['import', scenario, '-o', stimuli]),
  ]);
});

describe('JSON', () => {
  interface Schemas {
    readonly eventText: JsonSchema;
    readonly outputs: Readonly<Record<string, JsonSchema>>;
  }
  let schemas: Schemas;
  before(async () => {
    schemas = JSON.parse(await exits(0, ['schema'])) as Schemas;
  });

  const calls: readonly { readonly exit: number; readonly words: readonly string[] }[] = [
    { exit: 0, words: ['run', sample('init-error-l1vh-before'), '-o', at('run.hvtrace')] },
    { exit: 0, words: ['import', sample('init-error-l1vh-before'), '-o', at('import.hvtrace')] },
    { exit: 0, words: ['replay', trace] },
    { exit: 0, words: ['replay', trace, '--verify'] },
    { exit: 0, words: ['replay', stimuli, '--to', '2'] },
    { exit: 0, words: ['state', trace, '--who'] },
    { exit: 0, words: ['state', stimuli, '--at', '0'] },
    { exit: 1, words: ['check', trace] },
    { exit: 0, words: ['check', trace, '--expect'] },
    { exit: 0, words: ['blame', trace, 'cpu[0].synic.scontrol', '--at', '74'] },
    { exit: 0, words: ['blame', stimuli, '4.33.fault'] },
    {
      exit: 1,
      words: [
        'whatif',
        trace,
        '--edit',
        'drop 74',
        '--edit',
        'insert before 2 {"kind":"mark","what":"note"}',
      ],
    },
    { exit: 0, words: ['whatif', trace, '--suggest', 'R01'] },
    { exit: 0, words: ['explain', '0x40000083'] },
    { exit: 0, words: ['explain', 'HV_STATUS_INSUFFICIENT_MEMORY'] },
    { exit: 0, words: ['diff', trace, trace] },
    { exit: 1, words: ['diff', trace, stimuli] },
    { exit: 0, words: ['pack', trace, '-o', at('packed.hvtrace.zst')] },
    { exit: 0, words: ['unpack', at('packed.hvtrace.zst'), '-o', at('unpacked.hvtrace')] },
    { exit: 0, words: ['recover', trace, '-o', at('recovered.hvtrace')] },
    { exit: 0, words: ['doctor'] },
  ];
  for (const { exit, words } of calls) {
    const line = words.map((word) => word.replace(/^.*\//, '')).join(' ');
    test(`${line} --json fits its schema`, async () => {
      const [command = ''] = words;
      const schema = schemas.outputs[command];
      assert.ok(schema !== undefined, `no schema for ${command}`);
      assert.equal(check(schema, await json(exit, words)), undefined);
    });
  }

  test('every command that prints JSON has a schema', () => {
    // What export prints is the event text, and schema prints itself.
    const printing = COMMANDS.map(({ name }) => name).filter(
      (name) => name !== 'export' && name !== 'schema',
    );
    assert.deepEqual(Object.keys(schemas.outputs).sort(), printing.toSorted());
  });

  test('several files: one object each, with its file', async () => {
    const out = await exits(1, ['check', trace, stimuli, '--json']);
    const objects = JSON.parse(`[${out.replaceAll('}\n{', '},{')}]`) as { file: string }[];
    assert.deepEqual(
      objects.map(({ file }) => file),
      [trace, stimuli],
    );
    for (const object of objects) assert.equal(check(schemas.outputs.check ?? {}, object), undefined);
  });

  test('show --json prints event text with positions, one event a line', async () => {
    const lines = (await exits(0, ['show', stimuli, '--derived', '--json'])).trimEnd().split('\n');
    assert.equal(lines.length, 118);
    for (const line of lines) {
      const event = JSON.parse(line) as { position?: string; seq?: number };
      assert.ok((event.position === undefined) !== (event.seq === undefined), line);
      assert.equal(check(schemas.outputs.show ?? {}, event), undefined, line);
    }
    for (const line of (await exits(0, ['show', trace, '--json'])).trimEnd().split('\n'))
      assert.equal(check(schemas.eventText, JSON.parse(line)), undefined, line);
  });

  test('show --why says by which rule the engine answered, of recorded and of derived events', async () => {
    const filter = 'op == write && msr == SCONTROL && cpu == 0';
    const plain = (await exits(0, ['show', trace, filter, '--why'])).trimEnd().split('\n');
    assert.ok(plain.length > 0);
    for (const line of plain) assert.match(line, / {2}\[TLFS\.synic\.register\]$/);
    const lines = (await exits(0, ['show', stimuli, '--derived', '--why', '--json'])).trimEnd().split('\n');
    const rules = new Set<string | null>();
    for (const line of lines) {
      const shown = JSON.parse(line) as { rule: string | null; event: unknown };
      assert.equal(check(schemas.outputs.show ?? {}, shown), undefined, line);
      rules.add(shown.rule);
    }
    for (const [rule, has] of [
      ['TLFS.post-message', true],
      ['TLFS.message.deliver', true],
      ['Linux.kexec', true],
      ['TLFS.synic.sint-vector', false],
      [null, false],
    ] as const)
      assert.equal(rules.has(rule), has, String(rule));
  });

  test('state --who names the rule of the last write', async () => {
    const out = await exits(0, ['state', trace, '--path', 'cpu[0].synic.scontrol', '--who']);
    assert.match(out, /TLFS\.synic\.register/);
  });

  test('export prints event text', async () => {
    for (const line of (await exits(0, ['export', trace])).trimEnd().split('\n'))
      assert.equal(check(schemas.eventText, JSON.parse(line)), undefined, line);
  });
});

test('replay prints the first hundred divergences and counts the rest; --json has them all', async () => {
  const wrong = {
    kind: 'msr',
    dir: 'read',
    cpu: 0,
    msr: 'HV_X64_MSR_SCONTROL',
    value: '0x123',
    fault: false,
  };
  const events = Array.from({ length: 150 }, (_, i) => JSON.stringify({ t: `${i}us`, ...wrong }));
  writeFileSync(at('wrong.ndjson'), `${['{"profile":{}}', ...events].join('\n')}\n`);
  await exits(0, ['import', at('wrong.ndjson'), '-o', at('wrong.hvtrace')]);
  const out = await exits(1, ['replay', at('wrong.hvtrace')]);
  assert.equal(out.match(/recorded 0x123/g)?.length, 100);
  assert.match(out, /^divergences +150$/m);
  assert.match(out, /and 50 more/);
  const replayed = await json<{ diverged: number; divergences: unknown[] }>(1, [
    'replay',
    at('wrong.hvtrace'),
  ]);
  assert.deepEqual([replayed.diverged, replayed.divergences.length], [150, 150]);
});

interface Cell {
  readonly path: string;
  readonly value: string | null;
  readonly known: boolean;
  readonly writer?: { readonly at: string; readonly component: string };
}

async function cell(file: string, position: string, path: string): Promise<Cell> {
  const words = ['state', file, '--at', position, '--path', path, '--who'];
  const state = await json<{ at: string; cells: readonly Cell[] }>(0, words);
  assert.equal(state.at, position);
  const [only, ...others] = state.cells;
  assert.ok(only !== undefined && others.length === 0);
  return only;
}

describe('state', () => {
  const scontrol = 'cpu[0].synic.scontrol';

  test('at 0 everything has its reset value and nobody wrote it', async () => {
    const { cells } = await json<{ cells: readonly Cell[] }>(0, ['state', trace, '--at', '0', '--who']);
    assert.ok(cells.length > 100);
    for (const { path, known, writer } of cells) assert.ok(known && writer === undefined, path);
    const masked = cells.filter(({ path }) => /^cpu\[[01]\]\.synic\.sint\[/.test(path));
    assert.equal(masked.length, 32);
    for (const { value } of masked) assert.equal(value, '0x10000');
  });

  test('before, at and after a write', async () => {
    const { value: off, writer: none } = await cell(trace, '17', scontrol);
    assert.deepEqual({ off, none }, { off: '0x0', none: undefined });
    for (const position of ['18', '19', '57']) {
      const { value, writer } = await cell(trace, position, scontrol);
      const expected = position === '57' ? { at: '48', component: 'mshv' } : { at: '18', component: 'vmbus' };
      assert.deepEqual({ value, writer }, { value: '0x1', writer: expected });
    }
  });

  test('below a stimulus, at the address of a derived event', async () => {
    const lines = (
      await exits(0, [
        'show',
        stimuli,
        'under(2) && op == write && msr == SCONTROL && cpu == 0',
        '--derived',
        '--json',
      ])
    )
      .trimEnd()
      .split('\n');
    assert.equal(lines.length, 1);
    const { position } = JSON.parse(lines[0] ?? '') as { position: string };
    const [seq, sub] = position.split('.').map(Number) as [number, number];
    assert.equal((await cell(stimuli, `${seq}.${sub - 1}`, scontrol)).value, '0x0');
    const { value, writer } = await cell(stimuli, position, scontrol);
    assert.deepEqual({ value, writer }, { value: '0x1', writer: { at: position, component: 'vmbus' } });
    assert.equal((await cell(stimuli, '1', scontrol)).value, '0x0', 'after 1 is before all that 2 causes');
    assert.equal((await cell(stimuli, '2', scontrol)).value, '0x0', 'after 2 itself, before what it causes');
  });

  test('the end is the default', async () => {
    const state = await json<{ at: string }>(0, ['state', trace]);
    assert.equal(state.at, '118');
  });

  test('paths with a star, and groups', async () => {
    const cells = async (path: string): Promise<string[]> => {
      const state = await json<{ cells: readonly Cell[] }>(0, ['state', trace, '--path', path]);
      return state.cells.map((found) => found.path);
    };
    assert.deepEqual(await cells('cpu[*].synic.siefp'), ['cpu[0].synic.siefp', 'cpu[1].synic.siefp']);
    assert.ok((await cells('cpu[1].synic')).length > 40);
  });
});

describe('the filter of show', () => {
  const count = async (filter: string, ...options: string[]): Promise<number> => {
    const out = await exits(0, ['show', trace, filter, ...options]);
    return out === '' ? 0 : out.trimEnd().split('\n').length;
  };

  test('chooses events', async () => {
    const all = await count('');
    assert.equal(all, 118);
    const msr = await count('kind == msr');
    assert.equal(msr + (await count('!(kind == msr)')), all);
    assert.equal(await count('kind == msr && msr == SIEFP && op == write and component == mshv'), 4);
    assert.equal(await count('fault'), 6);
    assert.equal(await count('seq >= 20 && seq < 30'), 10);
    assert.equal(await count('t < 1us'), 9);
    assert.equal(await count('msr ~ "SINT[05]$" && op == write && cpu in {0, 1}'), 8);
    assert.equal(await count('input.partition_id == 0xffffffffffffffff'), 1);
    assert.equal(await count('ret == -5'), 0);
  });

  test('asks the replay where it must', async () => {
    assert.equal(await count('changes(cpu[*].synic.siefp) && component == mshv'), 2);
    assert.equal(await count('rule == R01'), 22);
    assert.equal(await count('under(61)'), 118 - 61);
  });

  test('--limit stops', async () => {
    assert.equal(await count('kind == msr', '--limit', '3'), 3);
    assert.equal(await count('', '--limit', '0'), 0);
  });
});

describe('help', () => {
  test('the overview names every command', async () => {
    const page = await exits(0, ['--help']);
    for (const { name, summary } of COMMANDS) {
      assert.match(page, new RegExp(`^  ${name} `, 'm'));
      assert.ok(page.includes(summary));
    }
    assert.equal(await exits(0, ['help']), page);
    assert.ok(page.split('\n').every((line) => line.length <= 120));
    const alone = await hvrewind([]);
    assert.deepEqual({ exit: alone.exit, out: alone.out }, { exit: 2, out: page });
  });

  for (const { name, options } of COMMANDS)
    test(`${name} --help lists its options`, async () => {
      const page = await exits(0, [name, '--help']);
      assert.match(page, new RegExp(`^usage: hvrewind ${name} `));
      for (const { name: option, help } of [...options, ...COMMON_OPTIONS]) {
        assert.ok(page.includes(`--${option}`), option);
        assert.ok(page.includes(help), help);
      }
    });

  test('--version', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      version: string;
    };
    assert.equal(await exits(0, ['--version']), `hvrewind ${version}\n`);
  });
});
