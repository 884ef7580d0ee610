import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { guestScenario, sessionOf } from '../session.testing.ts';

const ask = sessionOf(guestScenario(), { recorded: true });

function life(at: string) {
  const { partitions } = ask('partitions', { at });
  assert.equal(partitions.length, 1, 'the own partition is not listed');
  return partitions[0] ?? assert.fail();
}

/** Position of the first event whose operation has a name, from an event on. */
function find(op: string, after = 0): string {
  const answer = ask('events', { filter: `seq > ${after}`, derived: false, from: 0, count: 1000 });
  assert.ok('rows' in answer);
  const row = answer.rows.find((each) => each.op === op);
  return row?.at ?? assert.fail(`no ${op}`);
}

function memory(at: string) {
  const { maps } = ask('gpaMap', { at });
  return maps.find(({ own }) => !own);
}

describe('the lives of partitions', () => {
  test('phases come in order, each with the event that began it', () => {
    const { phases, left } = life('1');
    assert.deepEqual(
      phases.map(({ phase, deed }) => [phase, deed.op, deed.cause]),
      [
        ['created', 'HVCALL_CREATE_PARTITION', 'MSHV_CREATE_PARTITION'],
        ['initialized', 'HVCALL_INITIALIZE_PARTITION', 'MSHV_INITIALIZE_PARTITION'],
        ['running', 'MSHV_RUN_VP', 'MSHV_RUN_VP'],
        ['finalized', 'HVCALL_FINALIZE_PARTITION', 'close'],
        ['deleted', 'HVCALL_DELETE_PARTITION', 'close'],
      ],
    );
    assert.equal(left, false);
    for (const { phase, deed } of phases) {
      assert.equal(life(deed.at).phase, phase);
      assert.notEqual(life(String(Number(deed.at) - 1)).phase, phase);
    }
    assert.equal(life('1').phase, '');
  });

  test('the pool, the VP and the descriptors stand as they are at the cursor', () => {
    const at = find('MSHV_RUN_VP');
    const { deposited, deposits, vps } = life(at);
    assert.deepEqual(
      deposits.map(({ pages, after }) => [pages, after]),
      [
        [208, 208],
        [90, 298],
        [-298, 0],
      ],
    );
    assert.equal(deposited, 298);
    const [vp] = vps;
    assert.deepEqual([vp?.vp, vp?.now, vp?.runsSoFar, vp?.runs], ['2.0', 'there', 1, 16]);
    const { descriptors } = ask('partitions', { at });
    assert.deepEqual(
      descriptors.map(({ handle, now, opened }) => [handle, now, opened.op]),
      [
        ['device', 'there', 'open'],
        ['partition:2', 'there', 'MSHV_CREATE_PARTITION'],
        ['vp:2.0', 'there', 'MSHV_CREATE_VP'],
      ],
    );
    assert.ok(ask('partitions', { at: '' }).descriptors.every(({ now, left }) => now === 'gone' && !left));
  });

  test('what is left at the end is said', () => {
    const { stimuli } = guestScenario();
    const close = stimuli.findIndex((event) => event.kind === 'fd' && event.what === 'close');
    const cut = sessionOf(guestScenario(), { recorded: true, count: close });
    const { partitions, descriptors } = cut('partitions', { at: '1' });
    assert.deepEqual(
      partitions.map(({ id, left, vps }) => [id, left, vps.map((vp) => vp.left)]),
      [['2', true, [true]]],
    );
    assert.deepEqual(
      descriptors.map(({ handle, left }) => [handle, left]),
      [
        ['device', true],
        ['partition:2', true],
        ['vp:2.0', true],
      ],
    );
  });
});

describe('guest memory', () => {
  test('is what was given, and of that what is mapped', () => {
    const regions = memory(find('MSHV_CREATE_VP'))?.regions ?? [];
    assert.deepEqual(
      regions.map(({ from, to, pages, address, mapped }) => [from, to, pages, address, mapped[0]?.flags]),
      [
        ['0x0', '0xffff', 16, '0x7f3052026000', ['NO_ACCESS']],
        ['0x100000', '0x101fff', 2, '0x7f3052100000', ['NO_ACCESS']],
      ],
    );
    assert.ok(regions.every(({ deed }) => deed.cause === 'MSHV_SET_GUEST_MEMORY'));
  });

  test('tells which event mapped it, and marks what it changed', () => {
    const run = Number(find('MSHV_RUN_VP'));
    const at = find('HVCALL_MAP_GPA_PAGES', run);
    const [mapped] = memory(at)?.regions[0]?.mapped ?? [];
    assert.deepEqual([mapped?.changed, mapped?.deed.at, mapped?.deed.causeAt], [true, at, String(run)]);
    assert.ok(mapped?.flags.includes('WRITABLE'));
    const later = memory(String(Number(at) + 2))?.regions[0]?.mapped[0];
    assert.deepEqual([later?.changed, later?.deed.at], [false, at]);
  });

  test('has the pages that the guest laid over it', () => {
    const at = find('W HV_X64_MSR_SIMP', Number(find('MSHV_RUN_VP')));
    assert.deepEqual(
      memory(at)?.overlays.map(({ what, of, gpa, changed }) => [what, of, gpa, changed]),
      [
        ['hypercall page', 'VP 2.0', '0x9000', false],
        ['SIMP', 'VP 2.0', '0xa000', true],
      ],
    );
  });

  test('shows what the event at the cursor took away', () => {
    const unmap = find('HVCALL_UNMAP_GPA_PAGES');
    const { regions = [], others = [] } = memory(unmap) ?? {};
    const gone = [...others, ...regions.flatMap(({ mapped }) => mapped)].filter((each) => each.gone);
    assert.deepEqual(
      gone.map(({ from, pages }) => [from, pages]),
      [['0x0', 16]],
    );
    const [other] = memory(String(Number(unmap) + 1))?.regions ?? [];
    assert.equal(other?.from, '0x100000');
  });
});
