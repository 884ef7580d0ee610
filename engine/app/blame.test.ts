import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Scenario, scenario } from '../drivers/scenario.testing.ts';
import type { BlameLinkView } from './api-analysis.ts';
import { type Ask, guestScenario, sessionOf } from './session.testing.ts';
import { NotThere } from './session-parts.ts';

const SAMPLES = join(import.meta.dirname, '../../samples/scenarios');

function sample(name: string): Scenario {
  return scenario(name, readFileSync(join(SAMPLES, `${name}.hvtrace.ndjson`), 'utf8'));
}

const kexec = sessionOf(sample('teardown-l1vh-kexec-before'), { recorded: true });

/** Place of the first event with this operation and component that fits. */
function find(ask: Ask, filter: string, result?: string): string {
  const answer = ask('events', { filter, derived: true, from: 0, count: 1000 });
  assert.ok('rows' in answer, JSON.stringify(answer));
  const row = answer.rows.find((each) => result === undefined || each.result === result);
  return row?.at ?? assert.fail(`nothing matches ${filter}`);
}

function chain(links: readonly BlameLinkView[]): string[] {
  return links.map(
    ({ why, depth, at, cell }) => `${depth} ${why} ${at}${cell === undefined ? '' : ` ${cell.path}`}`,
  );
}

describe('blame', () => {
  const refused = find(kexec, 'msr == SINT2 && fault && cpu == 0');
  const off = find(kexec, 'msr == SCONTROL && component == mshv && cpu == 0', '0x0');

  test('a refused write leads to the write that switched the SynIC off, to its component’s stop, and to the kexec', () => {
    const { links, at } = kexec('blame', { of: `${refused}.fault`, at: '' });
    assert.equal(at, refused);
    assert.equal(links[0]?.why, 'answered');
    assert.equal(links[0]?.rule, 'choice.synic.strict-transition');
    const saw = links.findIndex((link) => link.why === 'decided' && link.depth === 1);
    assert.equal(links[saw]?.at, off);
    assert.equal(links[saw]?.component, 'mshv');
    const stop = links[saw + 1];
    assert.equal(stop?.why, 'caused');
    assert.equal(stop?.row?.op, 'component-stop');
    assert.equal(stop?.component, 'mshv');
    assert.equal(links.find(({ row }) => row?.op === 'kexec')?.depth, 2);
  });

  test('a cell leads to its last writer at the position that was asked, not to a later one', () => {
    const before = kexec('blame', { of: 'cpu[0].synic.scontrol', at: '47' });
    const { links } = kexec('blame', { of: 'cpu[0].synic.scontrol', at: off });
    assert.equal(links[0]?.at, off);
    assert.deepEqual(links[0]?.cell, { path: 'cpu[0].synic.scontrol', old: '0x1', now: '0x0' });
    assert.notEqual(before.links[0]?.at, off);
    assert.equal(before.links[0]?.component, 'vmbus');
  });

  test('a cell that nobody wrote is held since before the first event', () => {
    const { links } = kexec('blame', { of: 'cpu[0].synic.sint[9]', at: '' });
    assert.deepEqual(chain(links), ['0 held 0 cpu[0].synic.sint[9]']);
    assert.equal(links[0]?.cell?.now, '0x10000');
  });

  test('chains are bounded, each link stands right below what it explains, and none is told twice', () => {
    for (let seq = 1; seq <= 118; seq += 3) {
      const filter = `seq == ${seq} && kind == msr`;
      const rows = kexec('events', { filter, derived: false, from: 0, count: 1 });
      if (!('rows' in rows) || rows.rows.length === 0) continue;
      const { links } = kexec('blame', { of: `${seq}.fault`, at: '' });
      assert.ok(links.length >= 1 && links.length <= 40);
      assert.equal(links[0]?.depth, 0);
      for (const [i, { depth }] of links.entries())
        if (i > 0) assert.ok(depth <= (links[i - 1]?.depth ?? -1) + 1);
      const told = chain(links).map((text) => text.replace(/^[0-9]+ /, ''));
      assert.equal(new Set(told).size, told.length);
    }
  });

  test('derived events are blamed as recorded ones are', () => {
    const ask = sessionOf(sample('teardown-l1vh-kexec-before'), { recorded: false });
    const derived = find(ask, 'msr == SINT2 && fault && cpu == 0');
    assert.match(derived, /^4\.[0-9]+$/);
    const { links } = ask('blame', { of: `${derived}.fault`, at: '' });
    const saw = links.find((link) => link.why === 'decided' && link.depth === 1);
    assert.equal(saw?.component, 'mshv');
    assert.equal(saw?.row?.op, 'W HV_X64_MSR_SCONTROL');
  });
});

/** A partition, a VP before it is initialized, and after that one VP twice. */
const CALLS = [
  '{"profile":{"kernel":"upstream-7.2","role":"root"}}',
  '{"t":"0","kind":"lifecycle","what":"component-start","component":"mshv"}',
  ...[
    '"handle":"device","op":"MSHV_CREATE_PARTITION","arg":{"pt_flags":["LAPIC"]}',
    '"handle":"partition:2","op":"MSHV_CREATE_VP","arg":{"vp_index":0}',
    '"handle":"partition:2","op":"MSHV_INITIALIZE_PARTITION"',
    '"handle":"partition:2","op":"MSHV_CREATE_VP","arg":{"vp_index":0}',
    '"handle":"partition:2","op":"MSHV_CREATE_VP","arg":{"vp_index":0}',
  ].map((call, i) => `{"t":"${i + 1}0us","kind":"ioctl","component":"vmm","pid":100,"tid":100,${call}}`),
].join('\n');

describe('blame of calls', () => {
  const ask = sessionOf(scenario('calls', CALLS), { recorded: false });

  test('an errno leads to the hypercall that failed below it, and to what that one saw', () => {
    const { links } = ask('blame', { of: '3.ret', at: '' });
    assert.deepEqual([links[0]?.why, links[0]?.at], ['answered', '3r']);
    const failing = find(ask, 'kind == hypercall && code == CREATE_VP');
    assert.deepEqual([links[1]?.why, links[1]?.at, links[1]?.depth], ['failed', failing, 1]);
    assert.equal(links[1]?.row?.failed, true);
    const saw = links.find(({ why, depth }) => why === 'decided' && depth === 2);
    assert.match(saw?.cell?.path ?? '', /^partition\[2\]/);
    assert.equal(saw?.row?.op, 'HVCALL_CREATE_PARTITION');
  });

  test('an errno that the driver gives by itself leads to the cells that it looked at', () => {
    const { links } = ask('blame', { of: '6.ret', at: '' });
    assert.deepEqual([links[0]?.why, links[0]?.at], ['answered', '6r']);
    assert.equal(
      links.some(({ why }) => why === 'failed'),
      false,
    );
    assert.ok(
      links.some(({ why, at }) => why === 'decided' && at.startsWith('5')),
      chain(links).join('\n'),
    );
  });

  test('the call of a guest’s stop is asked at its return', () => {
    const guest = sessionOf(guestScenario(), { recorded: true });
    const run = find(guest, 'op == MSHV_RUN_VP');
    const { links } = guest('blame', { of: `${run}.ret`, at: '' });
    assert.equal(links[0]?.at, `${run}r`);
    assert.ok(links[0]?.rule !== undefined);
  });

  test('what the trace does not have is said in words', () => {
    const said = (of: string): string => {
      try {
        kexec('blame', { of, at: '' });
      } catch (error) {
        assert.ok(error instanceof NotThere);
        return error.message;
      }
      return assert.fail(`${of} was answered`);
    };
    assert.match(said('cpu[0].synic'), /names several cells; ask for one, such as cpu\[0\]\.synic\./);
    assert.match(said('cpu[9].synic.scontrol'), /no cell is called/);
    assert.match(said('what is it'), /is no cell path and no answer; such as/);
    assert.match(said('9999.ret'), /the trace has no position 9999; its events are 1 to/);
    assert.match(said('2.ret'), /the msr at 2 has no answer "ret"; it has fault, value/);
  });
});
