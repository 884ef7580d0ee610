import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExitPage } from '../api-exits.ts';
import { type Ask, guestScenario, sessionOf } from '../session.testing.ts';

const ask = sessionOf(guestScenario(), { recorded: true });

function page(asked: Ask, filter = '', from = 0, count = 1000): ExitPage {
  const answer = asked('exits', { filter, from, count });
  assert.ok('rows' in answer, JSON.stringify(answer));
  return answer;
}

describe('VP exits', () => {
  test('say what the guest did', () => {
    const { rows, total } = page(ask);
    assert.equal(total, 16);
    const lines = rows.map(({ access, place, value }) => [access, place, value].filter(Boolean).join(' '));
    assert.deepEqual(lines, [
      ...['48', '65', '6c', '6c', '6f', '20', '66', '72', '6f'].map((byte) => `write port 0x3f8 0x${byte}`),
      'leaf 0x40000010',
      'read GPA 0xd0000',
      'read HV_X64_MSR_SYNDBG_OPTIONS',
      ...['41', '39', 'a'].map((byte) => `write port 0x3f8 0x${byte}`),
      '',
    ]);
    assert.deepEqual(
      rows.map(({ index }) => index),
      rows.map((_, i) => i),
    );
    assert.equal(rows.at(-1)?.type, 'HVMSG_X64_HALT');
    assert.ok(rows.every(({ vp, failed, result }) => vp === '2.0' && !failed && result === '0'));
  });

  test('say how long guest and VMM took, and what the VMM did', () => {
    const { rows } = page(ask);
    for (const [i, row] of rows.entries()) {
      const next = rows[i + 1];
      assert.ok(row.endNs !== undefined && row.endNs >= row.startNs);
      assert.equal(row.answeredNs, next === undefined ? undefined : next.startNs - row.endNs);
      const { exit } = ask('exit', { at: row.at });
      assert.deepEqual(exit?.row, row);
      assert.equal(exit?.answer.length, row.calls);
      assert.equal(exit?.next, next?.at);
      assert.equal(exit?.previous, rows[i - 1]?.at);
    }
    // Every stop but the last is answered by setting registers; after it the VM is taken down.
    assert.deepEqual(
      rows.map(({ calls }) => calls),
      rows.map(() => 1),
    );
  });

  test('are counted by what they touch, and the filter of a group finds the group', () => {
    const { groups, total } = ask('exitGroups', { filter: '' });
    assert.equal(total, 16);
    assert.deepEqual(
      groups.map(({ place, access, count }) => [place, access, count]),
      [
        ['port 0x3f8', 'write', 12],
        ['leaf 0x40000010', undefined, 1],
        ['GPA 0xd0000', 'read', 1],
        ['HV_X64_MSR_SYNDBG_OPTIONS', 'read', 1],
        [undefined, undefined, 1],
      ],
    );
    for (const { filter, type, count } of groups) {
      const found = page(ask, filter);
      assert.equal(found.total, count, filter);
      assert.ok(found.rows.every((row) => row.type === type));
    }
  });

  test('show registers at the entry, at the exit, and as the VMM left them', () => {
    const second = page(ask, '', 1, 1).rows[0];
    const { exit } = ask('exit', { at: second?.at ?? '' });
    const of = (register: string) => exit?.registers.find((view) => view.name === register);
    assert.deepEqual(of('RIP'), {
      ...{ name: 'RIP', entry: '0x7c27', exit: '0x7c26', next: '0x7c27' },
      ...{ byGuest: true, byVmm: true },
    });
    assert.deepEqual(of('RAX'), {
      ...{ name: 'RAX', entry: '0x12345648', exit: '0x12345665', next: '0x12345665' },
      ...{ byGuest: true, byVmm: false },
    });
    assert.equal(of('RCX')?.byGuest, false);
    assert.equal(of('CR3'), undefined);
    assert.equal(exit?.message?.fields.find(({ path }) => path === 'payload.port_number')?.value, '0x3f8');
  });

  test('are found from any position', () => {
    const { rows } = page(ask);
    const [first, second] = [rows[0]?.at ?? '', rows[1]?.at ?? ''];
    assert.deepEqual(ask('exitPlace', { filter: '', at: '1' }), { next: first });
    assert.deepEqual(ask('exitPlace', { filter: '', at: first }), { index: 0, at: first, next: second });
    const between = String(Number(second) - 1);
    assert.deepEqual(ask('exitPlace', { filter: '', at: between }), {
      ...{ index: 0, at: first, previous: first, next: second },
    });
    const { filter } = ask('exitGroups', { filter: '' }).groups[1] ?? { filter: '' };
    const leaf = page(ask, filter).rows[0]?.at;
    assert.deepEqual(ask('exitPlace', { filter, at: '1' }), { next: leaf });
    assert.equal(ask('exit', { at: '1' }).exit, null);
    assert.equal(ask('exit', { at: between }).exit?.row.at, first);
  });
});

test('a VP that was never let out is shown as running', () => {
  const { stimuli } = guestScenario();
  const run = stimuli.findIndex((event) => event.kind === 'intercept');
  const { rows } = page(sessionOf(guestScenario(), { recorded: true, count: run }));
  assert.equal(rows.length, 1);
  const { at, ...row } = rows[0] ?? assert.fail();
  assert.deepEqual(row, { index: 0, vp: '2.0', startNs: 22065400, result: 'open', failed: false, calls: 0 });
});

test('a filter with a mistake is refused', () => {
  const answer = ask('exits', { filter: 'nothing == 1', from: 0, count: 1 });
  assert.ok('problem' in answer);
  assert.deepEqual(ask('exitGroups', { filter: 'nothing == 1' }), { groups: [], total: 0 });
});
