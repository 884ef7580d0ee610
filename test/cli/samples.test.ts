/** The samples from scenario to verdict, as a user plays them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { exits, json, SAMPLES, sample } from './hvrewind.testing.ts';

const folder = scratch();
const TRIGGERS = ['rmmod', 'offline', 'kexec'];

interface Finding {
  readonly id: string;
  readonly rule: string;
  readonly severity: string;
  readonly at: string;
  readonly culprit: { readonly at: string; readonly component: string };
  readonly evidence: readonly string[];
  readonly cells: readonly string[];
  readonly cpus?: readonly number[];
}
interface Checked {
  readonly findings: readonly Finding[];
}
interface Replayed {
  readonly events: number;
  readonly derived: number;
  readonly checked: number;
  readonly bound: Readonly<Record<string, number>>;
  readonly divergences: readonly unknown[];
  readonly hash: string;
  readonly stored: string | null;
  readonly verified: boolean | null;
}
interface Shown {
  readonly seq: number;
  readonly kind: string;
  readonly dir?: string;
  readonly msr?: string;
  readonly cpu?: number;
  readonly component?: string;
  readonly value?: string;
}

const path = (name: string): string => join(folder, `${name}.hvtrace`);

async function shown(trace: string, filter: string): Promise<Shown[]> {
  const out = await exits(0, ['show', trace, filter, '--json']);
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Shown);
}

describe('every sample', () => {
  assert.ok(SAMPLES.length >= 9);
  for (const { name, path: scenario, expect } of SAMPLES) {
    test(`${name}: plays, replays without a divergence, and is judged as it expects`, async () => {
      const trace = path(name);
      const played = await json<{ file: string; events: number; hash: string }>(0, [
        'run',
        scenario,
        '-o',
        trace,
      ]);
      const replayed = await json<Replayed>(0, ['replay', trace, '--verify']);
      assert.deepEqual(replayed.divergences, []);
      assert.equal(replayed.events, played.events);
      assert.equal(replayed.derived, 0, 'a recording of `run` holds everything that happened');
      assert.equal(replayed.hash, played.hash);
      assert.equal(replayed.stored, played.hash);
      assert.equal(replayed.verified, true);
      const bound = Object.values(replayed.bound).reduce((sum, count) => sum + count, 0);
      assert.ok(
        replayed.checked >= 3 * bound && replayed.checked > 0,
        `${replayed.checked} checked, ${bound} bound`,
      );
      const { findings } = await json<Checked>(expect.length > 0 ? 1 : 0, ['check', trace]);
      assert.deepEqual(
        findings.map(({ rule, culprit: { component } }) => ({ rule, component })),
        expect,
      );
    });
  }

  test('they meet their own expectations', async () => {
    await exits(0, ['check', '--expect', ...SAMPLES.map(({ name }) => path(name))]);
  });
});

describe('tear-down on an L1VH host', () => {
  for (const trigger of TRIGGERS) {
    const before = `teardown-l1vh-${trigger}-before`;

    test(`${trigger}: mshv is to blame, first at the SIEFP disable, proven by VMBus’ enabling writes`, async () => {
      const trace = path(before);
      const { findings } = await json<Checked>(1, ['check', trace]);
      const [finding] = findings;
      assert.ok(finding !== undefined && findings.length === 1);
      assert.equal(finding.culprit.component, 'mshv');
      assert.equal(finding.severity, 'error');

      const disables = await shown(
        trace,
        'kind == msr && component == mshv && msr in {HV_X64_MSR_SIEFP, HV_X64_MSR_SIMP, HV_X64_MSR_SCONTROL}',
      );
      const off = (event: Shown): boolean => event.dir === 'write' && (BigInt(event.value ?? 0) & 1n) === 0n;
      const [first] = disables.filter(off);
      assert.equal(first?.msr, 'HV_X64_MSR_SIEFP');
      assert.equal(finding.culprit.at, String(first.seq));
      assert.equal(finding.at, finding.culprit.at);
      for (const { seq } of disables.filter(off)) assert.ok(finding.evidence.includes(String(seq)));
      const cpu = first.cpu;
      assert.deepEqual(
        finding.cells.filter((cell) => cell.startsWith(`cpu[${cpu}].`)),
        ['siefp', 'simp', 'scontrol'].map((register) => `cpu[${cpu}].synic.${register}`),
      );

      const enabling = await shown(
        trace,
        `kind == msr && component == vmbus && cpu == ${cpu} && seq < ${first.seq}`,
      );
      const writes = enabling.filter((event) => event.dir === 'write');
      assert.deepEqual(
        writes.map((event) => event.msr).sort(),
        ['HV_X64_MSR_SCONTROL', 'HV_X64_MSR_SIEFP', 'HV_X64_MSR_SIMP', 'HV_X64_MSR_SINT2'],
        'what VMBus switches on when it starts',
      );
      for (const { seq } of writes) assert.ok(finding.evidence.includes(String(seq)), `${seq} in the proof`);
    });

    test(`${trigger}: the same scenario with the ownership patch is silent`, async () => {
      const merged = path(`${before}-merged`);
      await exits(0, ['run', sample(before), '-o', merged, '--profile', 'synicOwnership=merged']);
      assert.deepEqual(await json<Checked>(0, ['check', merged]), { findings: [] });
      const { divergences, verified } = await json<Replayed>(0, ['replay', merged, '--verify']);
      assert.deepEqual({ divergences, verified }, { divergences: [], verified: true });
    });
  }
});

test('findings are the same over a re-run, ids included', async () => {
  const trace = path('teardown-l1vh-kexec-before');
  const [once, again] = await Promise.all([
    json<Checked>(1, ['check', trace]),
    json<Checked>(1, ['check', trace]),
  ]);
  assert.deepEqual(once, again);
});

test('the tear-down scenarios give stimuli alone', () => {
  for (const { name, path: scenario } of SAMPLES) {
    if (name.startsWith('teardown-')) assert.ok(!readFileSync(scenario, 'utf8').includes('"kind":"msr"'));
  }
});
