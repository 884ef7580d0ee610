import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msrs } from '../abi/index.ts';
import { CellStore } from '../state/store.ts';
import type { EventKind } from '../trace/event.ts';
import { createJudge } from './judge.ts';
import { OpenFinding } from './open-finding.ts';
import type { Rule, Tracker, TrackerKind } from './rule.ts';
import { judge, Traffic } from './traffic.testing.ts';

/** Reports each CPU whose EOM is written, first come first served. */
function eomRule(id: string, needs: readonly EventKind[]): Rule {
  return {
    id,
    severity: 'info',
    title: 'EOM',
    meaning: 'An EOM was written.',
    silent: [],
    source: 'TLFS, SynIC',
    watches: ['msr'],
    needs,
    judge(input) {
      const found = new Map<number, OpenFinding>();
      return {
        step({ event }) {
          const cpu = event.cpu ?? 0;
          if (found.has(cpu)) return;
          const cause = { rule: id, cause: [String(cpu)], severity: 'info', component: 'guest' } as const;
          const finding = new OpenFinding({ ...cause, culprit: input.now() });
          found.set(cpu, finding);
          input.begun(finding);
        },
        end() {
          for (const finding of [...found.values()].reverse()) input.report(finding.close('EOM', 'none'));
        },
      };
    },
  };
}

const eoms = () => new Traffic().write('a', 3, 'EOM', 0n).write('a', 1, 'EOM', 0n);

test('findings stand in the order of their causes', () => {
  const ids = judge(eoms(), [eomRule('B', ['msr']), eomRule('A', ['msr'])]).map(({ id }) => id);
  assert.deepEqual(ids, ['A:3', 'B:3', 'A:1', 'B:1']);
});

test('a rule is silent where the trace is not deep enough for it', () => {
  const rules = [eomRule('A', ['msr', 'hypercall'])];
  assert.deepEqual(judge(eoms(), rules), []);
  const more = eoms().add({ kind: 'hypercall', control: 0n });
  assert.equal(judge(more, rules).length, 2);
  // A kernel that is known has its hypercalls derived: there were none.
  const known = new Traffic({ kernel: 'upstream-7.0' }).write('a', 3, 'EOM', 0n);
  assert.equal(judge(known, rules).length, 1);
  assert.deepEqual(judge(known, [eomRule('A', ['msr', 'message'])]), []);
});

test('what has begun is known while the trace goes on', () => {
  const { profile, steps } = eoms();
  const judgement = createJudge([eomRule('A', ['msr']), eomRule('B', ['message'])], profile);
  const begun = steps.map((step) => {
    judgement.step(step, new CellStore());
    return judgement.begun().map(({ id }) => id);
  });
  assert.deepEqual(begun, [['A:3'], ['A:3', 'A:1']]);
});

test('rules that name the same tracker share it, and it goes first', () => {
  const order: string[] = [];
  let made = 0;
  const kind: TrackerKind<Tracker> = {
    name: 'probe',
    watches: ['msr'],
    create: () => {
      made++;
      return { step: () => order.push('tracker') };
    },
  };
  const rule = (id: string): Rule => ({
    ...eomRule(id, ['msr']),
    judge(input) {
      input.tracker(kind);
      return { step: () => order.push(id), end: () => {} };
    },
  });
  judge(new Traffic().write('a', 0, 'EOM', 0n).life('suspend'), [rule('A'), rule('B')]);
  assert.equal(made, 1);
  assert.deepEqual(order, ['tracker', 'A', 'B']);
});

test('what only a programmer can get wrong is an assertion', () => {
  const { profile } = eoms();
  const rule = eomRule('A', ['msr']);
  assert.throws(() => createJudge([rule, rule], profile), /two rules A/);
  assert.throws(() => createJudge([rule], profile).findings(), /has not ended/);
  const twice: Rule = {
    ...rule,
    judge(input) {
      const { step, end } = rule.judge(input);
      return {
        step,
        end: () => {
          end();
          end();
        },
      };
    },
  };
  assert.throws(() => judge(eoms(), [twice]), /two findings A:/);
  const untold: Rule = { ...rule, judge: (input) => rule.judge({ ...input, begun: () => {} }) };
  assert.throws(() => judge(eoms(), [untold]), /A:1 was reported without having begun/);
  const ended = createJudge([rule], profile);
  ended.step(eoms().steps[0]!, new CellStore());
  ended.end();
  assert.throws(() => ended.end(), /ended already/);
});

test('a rule that names numbers gets their steps alone, in the order of the catalogue', () => {
  const seen: string[] = [];
  const rule = (id: string, watches: Rule['watches']): Rule => ({
    ...eomRule(id, ['msr']),
    watches,
    judge: () => ({
      step: ({ event }) => seen.push(`${id} ${event.kind === 'msr' ? event.msr : event.kind}`),
      end: () => {},
    }),
  });
  const [eom, sint2] = [msrs.number('EOM'), msrs.number('SINT2')];
  const traffic = eoms()
    .write('a', 0, 'SINT2', 0n)
    .write('a', 0, 'SIMP', 0n)
    .add({ kind: 'hypercall', control: 0x10_005cn });
  judge(traffic, [
    rule('A', [
      { kind: 'msr', msrs: [sint2] },
      { kind: 'hypercall', codes: [0x5c] },
    ]),
    rule('B', [
      { kind: 'msr', msrs: [eom, sint2] },
      { kind: 'hypercall', codes: [0x5d] },
    ]),
    rule('C', ['msr', { kind: 'msr', msrs: [eom] }]),
  ]);
  assert.deepEqual(seen, [
    ...[`B ${eom}`, `C ${eom}`, `B ${eom}`, `C ${eom}`],
    ...[`A ${sint2}`, `B ${sint2}`, `C ${sint2}`, `C ${msrs.number('SIMP')}`, 'A hypercall'],
  ]);
});
