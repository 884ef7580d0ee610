import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../trace/text/json.ts';
import { Bench } from './bench.testing.ts';

/** Only registers: `R SIMP`, `W SIMP 0x…` of one component on one CPU, values cut to what the bits say. */
function accesses(lines: readonly string[], component: string, cpu = 0): string[] {
  const prefix = `${cpu} ${component} `;
  return lines
    .filter((line) => line.startsWith(`${prefix}R `) || line.startsWith(`${prefix}W `))
    .map((line) => line.slice(prefix.length))
    .map((line) => (line.startsWith('R ') ? line.split(' ').slice(0, 2).join(' ') : short(line)));
}

/** A written value in words: pages by their enable bit and whether they have a base, SINTs by mask and vector. */
function short(line: string): string {
  const [, name = '', text = '0', ...rest] = line.split(' ');
  const value = BigInt(text);
  const tail = rest.length > 0 ? ` ${rest.join(' ')}` : '';
  if (/SINT/.test(name)) {
    const words = [(value & 0x10000n) === 0n ? 'live' : 'masked', `0x${(value & 0xffn).toString(16)}`];
    if ((value & 0x20000n) !== 0n) words.push('auto-eoi');
    if ((value & 0x80000n) !== 0n) words.push('as-intercept');
    return `W ${name} ${words.join(' ')}${tail}`;
  }
  const state = (value & 1n) === 1n ? 'on' : 'off';
  if (/SCONTROL/.test(name)) return `W ${name} ${state}${tail}`;
  return `W ${name} ${state}${value >> 12n === 0n ? ' no-base' : ''}${tail}`;
}

function started(given: JsonObject, ...components: string[]): Bench {
  const bench = new Bench({ cpus: 2, ...given });
  for (const component of components) {
    assert.equal(bench.lifecycle('component-start', { component }).outcome?.ret, 0, component);
  }
  return bench;
}

const BEFORE = { kernel: 'upstream-7.0', role: 'l1vh' };
const AFTER = { kernel: 'upstream-7.2', role: 'l1vh' };

describe('VMBus on a CPU (Linux 7.2 drivers/hv/hv.c)', () => {
  it('start: pages with its own base, SINT2, SCONTROL', () => {
    const { lines } = new Bench({ ...BEFORE, cpus: 2 }).lifecycle('component-start', { component: 'vmbus' });
    const expected = [
      'R SIMP',
      'W SIMP on',
      'R SIEFP',
      'W SIEFP on',
      'R SINT2',
      'W SINT2 live 0xf3 auto-eoi',
      'R SCONTROL',
      'W SCONTROL on',
    ];
    assert.deepEqual(accesses(lines, 'vmbus', 0), expected);
    assert.deepEqual(accesses(lines, 'vmbus', 1), expected);
  });

  it('start: no auto-EOI where the hypervisor recommends against it', () => {
    const cpuid = { '0x40000004': { eax: '0x200' } };
    const { lines } = new Bench({ ...BEFORE, cpuid }).lifecycle('component-start', { component: 'vmbus' });
    assert.ok(accesses(lines, 'vmbus').includes('W SINT2 live 0xf3'));
  });

  it('stop: SINT2 masked, pages off without base, SCONTROL off', () => {
    const { lines } = started(BEFORE, 'vmbus').lifecycle('component-stop', { component: 'vmbus' });
    assert.deepEqual(accesses(lines, 'vmbus', 1), [
      'R SINT2',
      'W SINT2 masked 0xf3 auto-eoi',
      'R SIMP',
      'W SIMP off no-base',
      'R SIEFP',
      'W SIEFP off no-base',
      'R SCONTROL',
      'W SCONTROL off',
    ]);
  });

  it('on a nested root: the nested register file, bases kept', () => {
    const bench = new Bench({ role: 'nested-root', cpus: 1 });
    const start = bench.lifecycle('component-start', { component: 'vmbus' });
    assert.deepEqual(accesses(start.lines, 'vmbus'), [
      'R NESTED_SIMP',
      'W NESTED_SIMP on',
      'R NESTED_SIEFP',
      'W NESTED_SIEFP on',
      'R NESTED_SINT2',
      'W NESTED_SINT2 live 0xf3 auto-eoi',
      'R NESTED_SCONTROL',
      'W NESTED_SCONTROL on',
    ]);
    const stop = bench.lifecycle('component-stop', { component: 'vmbus' });
    assert.ok(accesses(stop.lines, 'vmbus').includes('W NESTED_SIMP off'));
  });

  it('is not there on a bare root', () => {
    assert.equal(
      new Bench({ role: 'root' }).lifecycle('component-start', { component: 'vmbus' }).outcome?.ret,
      -19,
    );
  });

  it('contacts the host, and asks for its offers', () => {
    const bench = new Bench({ ...BEFORE, cpus: 1 });
    const start = bench.lifecycle('component-start', { component: 'vmbus' });
    assert.deepEqual(start.lines.slice(-10), [
      '0 vmbus HC POST_MESSAGE SUCCESS',
      '0 hypervisor message deliver sint 2',
      '0 hypervisor message interrupt sint 2',
      '0 vmbus message read sint 2',
      '0 vmbus message clear sint 2',
      '0 vmbus HC POST_MESSAGE SUCCESS',
      '0 hypervisor message deliver sint 2',
      '0 hypervisor message interrupt sint 2',
      '0 vmbus message read sint 2',
      '0 vmbus message clear sint 2',
    ]);
    assert.equal(bench.cell('driver.vmbus.connection'), 2n);
    assert.equal(bench.cell('driver.vmbus.version'), 0x6_0000n);
    assert.equal(bench.cell('driver.vmbus.offers'), 2n);
  });

  it('gives up every CPU where the connection fails', () => {
    const bench = new Bench({ ...BEFORE, cpus: 2 });
    const { lines, outcome } = bench.lifecycle('component-start', {
      component: 'vmbus',
      fail: 'vmbus-connect',
    });
    assert.equal(outcome?.ret, -12);
    assert.equal(accesses(lines, 'vmbus', 1).at(-1), 'W SCONTROL off');
    assert.equal(bench.cell('driver.vmbus.hotplug'), 0n);
    assert.equal(bench.lifecycle('component-start', { component: 'vmbus' }).outcome?.ret, 0);
  });
});

describe('mshv on a CPU (Linux drivers/hv/mshv_synic.c)', () => {
  const SINTS_ON = ['W SINT0 live 0xf3 auto-eoi', 'W SINT5 live 0xf3 auto-eoi as-intercept'];
  const SINTS_OFF = [
    'R SINT0',
    'W SINT0 masked 0xf3 auto-eoi',
    'R SINT5',
    'W SINT5 masked 0xf3 auto-eoi as-intercept',
  ];
  const ALL_ON = ['R SIMP', 'W SIMP on', 'R SIEFP', 'W SIEFP on', 'R SIRBP', 'W SIRBP on', ...SINTS_ON];
  const SCONTROL_ON = ['R SCONTROL', 'W SCONTROL on'];
  const SHARED_OFF = ['R SIEFP', 'W SIEFP off', 'R SIMP', 'W SIMP off', 'R SCONTROL', 'W SCONTROL off'];

  /** By role and version of the ownership patch: start and stop while VMBus runs (where it can). */
  const CASES: readonly {
    readonly given: JsonObject;
    readonly vmbus: boolean;
    readonly start: readonly string[];
    readonly stop: readonly string[];
  }[] = [
    {
      given: { ...BEFORE, synicOwnership: 'before' },
      vmbus: true,
      start: [
        'R SIMP',
        'W SIMP on',
        'R SIEFP',
        'W SIEFP on',
        'R SIRBP',
        'W SIRBP on no-base',
        ...SINTS_ON,
        ...SCONTROL_ON,
      ],
      stop: [...SINTS_OFF, 'R SIRBP', 'W SIRBP off no-base', ...SHARED_OFF],
    },
    {
      given: { kernel: 'upstream-7.0', role: 'root', synicOwnership: 'before' },
      vmbus: false,
      start: [...ALL_ON, ...SCONTROL_ON],
      stop: [...SINTS_OFF, 'R SIRBP', 'W SIRBP off', ...SHARED_OFF],
    },
    {
      given: { ...BEFORE, synicOwnership: 'v1' },
      vmbus: true,
      start: ['R SIMP', 'R SIEFP', 'R SIRBP', 'W SIRBP on no-base', ...SINTS_ON],
      stop: [...SINTS_OFF, 'R SIRBP', 'W SIRBP off no-base'],
    },
    {
      given: { kernel: 'upstream-7.0', role: 'nested-root', synicOwnership: 'v1' },
      vmbus: true,
      start: [...ALL_ON, ...SCONTROL_ON],
      stop: [...SINTS_OFF, 'R SIRBP', 'W SIRBP off', ...SHARED_OFF],
    },
    {
      given: { kernel: 'upstream-7.0', role: 'nested-root', synicOwnership: 'v2' },
      vmbus: true,
      start: ['R SIMP', 'R SIEFP', 'R SIRBP', 'W SIRBP on', ...SINTS_ON],
      stop: [...SINTS_OFF, 'R SIRBP', 'W SIRBP off'],
    },
    {
      given: { ...AFTER, synicOwnership: 'merged' },
      vmbus: true,
      start: ['R SIMP', 'R SIEFP', 'R SIRBP', 'W SIRBP on', ...SINTS_ON],
      stop: [...SINTS_OFF, 'R SIRBP', 'W SIRBP off no-base'],
    },
    {
      given: { ...AFTER, synicOwnership: 'v2' },
      vmbus: false,
      start: ['R SIMP', 'R SIEFP', 'R SIRBP', 'W SIRBP on', ...SINTS_ON],
      stop: [...SINTS_OFF, 'R SIRBP', 'W SIRBP off no-base'],
    },
    {
      given: { ...AFTER, synicOwnership: 'merged' },
      vmbus: false,
      start: [
        'R SIMP',
        'W SIMP on no-base',
        'R SIEFP',
        'W SIEFP on no-base',
        'R SIRBP',
        'W SIRBP on',
        ...SINTS_ON,
        ...SCONTROL_ON,
      ],
      stop: [
        ...SINTS_OFF,
        'R SIRBP',
        'W SIRBP off no-base',
        'R SIEFP',
        'W SIEFP off no-base',
        'R SIMP',
        'W SIMP off no-base',
        'R SCONTROL',
        'W SCONTROL off',
      ],
    },
    {
      given: { kernel: 'upstream-7.2', role: 'root', synicOwnership: 'merged' },
      vmbus: false,
      start: [...ALL_ON, ...SCONTROL_ON],
      stop: [...SINTS_OFF, 'R SIRBP', 'W SIRBP off', ...SHARED_OFF],
    },
  ];

  for (const { given, vmbus, start, stop } of CASES) {
    const where = `${given.role}, ${given.synicOwnership}, ${vmbus ? 'with' : 'without'} VMBus`;
    it(where, () => {
      const bench = started(given, ...(vmbus ? ['vmbus'] : []));
      const up = bench.lifecycle('component-start', { component: 'mshv' });
      assert.deepEqual(accesses(up.lines, 'mshv', 1), start);
      const down = bench.lifecycle('component-stop', { component: 'mshv' });
      assert.deepEqual(accesses(down.lines, 'mshv', 1), stop);
      assert.equal(down.outcome?.ret, 0);
    });
  }

  it('asks the hypervisor after the SynIC: capabilities, and on a root the scheduler', () => {
    const root = new Bench({ role: 'root', scheduler: 'root' }).lifecycle('component-start', {
      component: 'mshv',
    });
    assert.deepEqual(root.lines.slice(-2), [
      '0 mshv HC GET_PARTITION_PROPERTY_EX SUCCESS',
      '0 mshv HC GET_SYSTEM_PROPERTY SUCCESS',
    ]);
    const l1vh = started({ ...AFTER, scheduler: 'root' }, 'vmbus');
    const { lines } = l1vh.lifecycle('component-start', { component: 'mshv' });
    assert.deepEqual(lines.slice(-2), [
      '0 mshv HC GET_PARTITION_PROPERTY_EX SUCCESS',
      '0 mshv HC GET_PARTITION_PROPERTY_EX SUCCESS',
    ]);
    assert.equal(l1vh.cell('driver.mshv.scheduler'), 4n);
  });

  it('is refused on a guest, and a second time', () => {
    assert.equal(
      new Bench({ role: 'guest' }).lifecycle('component-start', { component: 'mshv' }).outcome?.ret,
      -19,
    );
    const bench = started({ role: 'root' }, 'mshv');
    assert.equal(bench.lifecycle('component-start', { component: 'mshv' }).outcome?.ret, -17);
  });
});

describe('a start of mshv that fails', () => {
  /** What the failing CPU does after the accesses up to the failure, by version and step. */
  const CASES: readonly [
    ownership: string,
    fail: 'simp-map' | 'siefp-map' | 'sirbp-map',
    ends: readonly string[],
  ][] = [
    ['before', 'simp-map', ['R SIMP']],
    ['before', 'siefp-map', ['R SIMP', 'W SIMP on', 'R SIEFP', 'W SIMP off']],
    [
      'before',
      'sirbp-map',
      ['R SIMP', 'W SIMP on', 'R SIEFP', 'W SIEFP on', 'R SIRBP', 'W SIEFP off', 'W SIMP off'],
    ],
    ['merged', 'simp-map', ['R SIMP']],
    ['merged', 'siefp-map', ['R SIMP', 'R SIEFP']],
    ['merged', 'sirbp-map', ['R SIMP', 'R SIEFP', 'R SIRBP']],
  ];
  for (const [synicOwnership, fail, ends] of CASES) {
    it(`${synicOwnership}, ${fail}: undoes on the CPU what it takes for its own`, () => {
      const bench = started({ ...BEFORE, synicOwnership }, 'vmbus');
      const { lines, outcome } = bench.lifecycle('component-start', { component: 'mshv', fail });
      assert.equal(outcome?.ret, -14);
      assert.deepEqual(accesses(lines, 'mshv', 0), ends);
      assert.deepEqual(accesses(lines, 'mshv', 1), []);
      assert.equal(bench.cell('driver.mshv.state'), 0n);
    });
  }

  it('on a root, merged: enables first and undoes SIEFP, then SIMP', () => {
    const bench = new Bench({ role: 'root', cpus: 1 });
    const { lines } = bench.lifecycle('component-start', { component: 'mshv', fail: 'sirbp-map' });
    assert.deepEqual(accesses(lines, 'mshv'), [
      'R SIMP',
      'W SIMP on',
      'R SIEFP',
      'W SIEFP on',
      'R SIRBP',
      'W SIEFP off',
      'W SIMP off',
    ]);
  });

  it('before any CPU leaves the SynIC alone', () => {
    const { lines, outcome } = started(BEFORE, 'vmbus').lifecycle('component-start', {
      component: 'mshv',
      fail: 'cpuhp',
    });
    assert.deepEqual([lines, outcome?.ret], [[], -28]);
  });

  /** What it set up goes in reverse; of a root what the hypervisor shows under debugfs first. */
  for (const [fail, ret, shows] of [
    ['alloc', -12, true],
    ['cpuhp', -28, false],
  ] as const) {
    it(`late, ${fail}: unwinds to the first step, and can be tried again`, () => {
      const bench = new Bench({ role: 'root', scheduler: 'root', cpus: 1, debugfs: true });
      const { lines, outcome } = bench.lifecycle('component-start', { component: 'mshv', fail });
      assert.equal(outcome?.ret, ret);
      const calls = lines.filter((line) => line.includes(' HC '));
      const [mapped, unmapped] = ['HC MAP_STATS', 'HC UNMAP_STATS'].map(
        (name) => calls.filter((line) => line.includes(name)).length,
      );
      assert.equal(mapped, unmapped);
      assert.equal((mapped ?? 0) > 0, shows);
      assert.deepEqual(accesses(lines, 'mshv').slice(-2), ['R SCONTROL', 'W SCONTROL off']);
      for (const cell of ['state', 'hotplug', 'schedulerHotplug', 'notifier', 'debugfs'])
        assert.equal(bench.cell(`driver.mshv.${cell}`), cell === 'state' && shows ? 2n : 0n, cell);
      assert.equal(bench.lifecycle('component-start', { component: 'mshv' }).outcome?.ret, 0);
    });
  }
});
