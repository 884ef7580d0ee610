/** How much is modelled, and that it never becomes less. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hypercalls, ioctlsOf, msrs } from '../../engine/abi/index.ts';
import { changesOf, countsLine, countsOnPage, notModelled, readList } from './floors.ts';
import { pagesOf } from './table.ts';

const now = notModelled();
const listed = readList();

/** Hypercalls that Linux 7.2 drivers/hv and arch/x86/hyperv issue or let through, and that are to be modelled. */
const CALLS = [
  ...['CREATE_PARTITION', 'INITIALIZE_PARTITION', 'FINALIZE_PARTITION', 'DELETE_PARTITION'],
  ...['GET_PARTITION_PROPERTY', 'SET_PARTITION_PROPERTY', 'GET_PARTITION_PROPERTY_EX'],
  ...['DEPOSIT_MEMORY', 'WITHDRAW_MEMORY', 'MAP_GPA_PAGES', 'UNMAP_GPA_PAGES', 'INSTALL_INTERCEPT'],
  ...['CREATE_VP', 'DELETE_VP', 'GET_VP_REGISTERS', 'SET_VP_REGISTERS', 'TRANSLATE_VIRTUAL_ADDRESS'],
  ...['CLEAR_VIRTUAL_INTERRUPT', 'ASSERT_VIRTUAL_INTERRUPT', 'REGISTER_INTERCEPT_RESULT'],
  ...['CREATE_PORT', 'DELETE_PORT', 'CONNECT_PORT', 'DISCONNECT_PORT', 'POST_MESSAGE', 'SIGNAL_EVENT'],
  ...['MAP_STATS_PAGE', 'MAP_STATS_PAGE2', 'UNMAP_STATS_PAGE', 'GET_SYSTEM_PROPERTY', 'SET_SYSTEM_PROPERTY'],
  ...['ENTER_SLEEP_STATE', 'NOTIFY_PORT_RING_EMPTY', 'SIGNAL_EVENT_DIRECT', 'POST_MESSAGE_DIRECT'],
  ...['DISPATCH_VP', 'GET_GPA_PAGES_ACCESS_STATES', 'ACQUIRE_SPARSE_SPA_PAGE_HOST_ACCESS'],
  ...['MAP_VP_STATE_PAGE', 'UNMAP_VP_STATE_PAGE', 'GET_VP_STATE', 'SET_VP_STATE', 'GET_VP_CPUID_VALUES'],
].map((name) => `HVCALL_${name}`);
/** SynIC, timers, hypercall page, assist page, crash. */
const REGISTERS =
  /^HV_X64_MSR_(?:NESTED_)?(?:SCONTROL|SVERSION|SIEFP|SIMP|SIRBP|EOM|SINT\d+|STIMER\d_\w+|HYPERCALL|GUEST_OS_ID|VP_ASSIST_PAGE|CRASH_\w+)$/;

test(countsLine(now), () => {
  const { gone, grown } = changesOf(listed, now);
  assert.deepEqual(grown, [], 'was modelled, is not now');
  assert.deepEqual(gone, [], 'is modelled now: run node_modules/.bin/node test/conformance/floors.ts');
});

test('docs/engine.md has the same counts', () => {
  assert.equal(countsOnPage(), countsLine(listed), 'run node_modules/.bin/node test/conformance/floors.ts');
});

test('every ioctl of upstream, of the RFC of 2020 and of VTL 2 is modelled', () => {
  assert.deepEqual(
    now.ioctls.filter((name) => /^(?:upstream|rfc2020|vtl) /.test(name)),
    [],
  );
});

test('every SynIC, timer, hypercall-page, assist-page and crash register is modelled', () => {
  const asked = msrs.all().filter(({ name }) => REGISTERS.test(name));
  assert.ok(asked.length > 50, `${asked.length}`);
  assert.deepEqual(
    now.msrs.filter((name) => REGISTERS.test(name)),
    [],
  );
});

/** Of them, not modelled yet. A line goes when its call comes. */
const OWED = ['ACQUIRE_SPARSE_SPA_PAGE_HOST_ACCESS'].map((name) => `HVCALL_${name}`);

test(`hypercalls that Linux issues: ${CALLS.length - OWED.length} of ${CALLS.length} are modelled`, () => {
  for (const name of CALLS) assert.notEqual(hypercalls.named(name), undefined, name);
  assert.deepEqual(
    CALLS.filter((name) => now.hypercalls.includes(name)),
    OWED,
  );
});

test('every hypercall that is modelled has its rows', () => {
  const rows = pagesOf('hypercalls').flatMap(({ name, rows }) =>
    rows.map(({ cells }) => cells.step?.split(' ')[0] ?? name.replace('HVCALL_', '')),
  );
  const without = hypercalls
    .all()
    .filter(({ name, abiName }) => !now.hypercalls.includes(name) && !rows.includes(abiName));
  assert.deepEqual(
    without.map(({ name }) => name),
    [],
  );
});

test('every ioctl of upstream and of the RFC of 2020 has its rows', () => {
  for (const dialect of ['upstream', 'rfc2020'] as const) {
    const pages = pagesOf('ioctls').filter(
      ({ path }) => path.includes('rfc2020') === (dialect === 'rfc2020'),
    );
    const named = pages.flatMap(({ name, rows }) =>
      rows.map(({ cells }) => (cells.step ?? name).split(/[ @]/)[0] ?? ''),
    );
    const without = ioctlsOf(dialect).filter(({ name }) => !named.includes(name));
    assert.deepEqual(
      without.map(({ name }) => name),
      [],
    );
  }
});
