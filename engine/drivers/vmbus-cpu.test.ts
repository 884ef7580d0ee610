/** What VMBus does with the CPUs of a machine, besides the registers of its SynIC (synic.test.ts). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldOf } from '../abi/index.ts';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import { Bench } from './bench.testing.ts';
import { played, SIDES, scenario } from './scenario.testing.ts';
import { talk } from './vmbus.testing.ts';

describe('a CPU with channels goes offline (Linux 7.2 drivers/hv/hv.c, hv_synic_cleanup)', () => {
  const START = '{"t":"0","kind":"lifecycle","what":"component-start","component":"vmbus"}';
  const sent = (payload: string) =>
    `{"t":"0","kind":"message","what":"deliver","component":"hypervisor","cpu":0,"sint":2,"slot":{"payload":${payload}}}
{"t":"0","kind":"message","what":"clear","component":"vmbus","cpu":0,"sint":2}`;
  const OPENED = [
    sent('{"vmbus":"OFFERCHANNEL","child_relid":7}'),
    '{"t":"0","kind":"hypercall","cpu":0,"component":"vmbus","code":"HVCALL_POST_MESSAGE","input":{"connectionid":4,"payload":{"vmbus":"OPENCHANNEL","child_relid":7,"target_vp":2}}}',
    sent('{"vmbus":"OPENCHANNEL_RESULT","child_relid":7}'),
  ];
  const OFF = '{"t":"1us","kind":"lifecycle","what":"cpu-offline","cpu":2}';
  /** The end of the last step, and what was said below it. */
  function offline(more: readonly string[], profile = '"cpus":4') {
    const header = `{"profile":{"role":"l1vh",${profile}}}`;
    const sample = scenario('offline', [header, START, ...more, OFF].join('\n'));
    const { events } = played(sample, sample.header.profile);
    const last = events.findLast((event) => event.parent === undefined);
    const end = events.findLast((event) => event.kind === 'lifecycle' && event.phase === 'end');
    const ret = end?.kind === 'lifecycle' ? end.ret : undefined;
    const below = events.filter((event) => event.parent === last?.seq);
    assert.deepEqual(replay(memorySource(sample.header, events), SIDES).divergences, []);
    return { ret, talk: talk(below), below };
  }

  it('an open channel moves to a CPU that is not the one for messages, which is the last choice', () => {
    const { ret, talk: said, below } = offline(OPENED);
    assert.deepEqual([ret, said], [0, ['> MODIFYCHANNEL']]);
    const [post] = below;
    const target = fieldOf('vmbus_channel_modifychannel', 'target_vp').offset + 16;
    assert.equal(post?.kind === 'hypercall' ? post.input?.[target] : undefined, 1);
    const one = '{"t":"0","kind":"lifecycle","what":"cpu-offline","cpu":1}';
    const alone = offline([one, ...OPENED], '"cpus":3').below[0];
    assert.equal(alone?.kind === 'hypercall' ? alone.input?.[target] : undefined, 0);
  });

  it('one that was closed cannot: EIO; the kernel of 2020 moves none: EBUSY', () => {
    const closed =
      '{"t":"0","kind":"hypercall","cpu":0,"component":"vmbus","code":"HVCALL_POST_MESSAGE","input":{"connectionid":4,"payload":{"vmbus":"CLOSECHANNEL","child_relid":7}}}';
    assert.equal(offline([...OPENED, closed]).ret, -5);
    assert.equal(offline(OPENED, '"cpus":4,"kernel":"rfc2020"').ret, -16);
  });

  it('an event flag that waits holds it up, but for the one of messages', () => {
    const event = (flag: number) =>
      `{"t":"0","kind":"message","what":"event","component":"hypervisor","cpu":2,"sint":2,"flag":${flag}}`;
    assert.equal(offline([event(70)]).ret, -16);
    assert.equal(offline([event(0)]).ret, 0);
    const cleared =
      '{"t":"0","kind":"message","what":"clear","component":"vmbus","cpu":2,"sint":2,"flag":70}';
    assert.equal(offline([event(70), cleared]).ret, 0);
  });
});

describe('clock events with messages (Linux 7.2 drivers/clocksource/hyperv_timer.c)', () => {
  const timers = (lines: readonly string[]) => lines.filter((line) => line.includes('STIMER0'));
  const started = (eax: number, edx: number) => {
    const bench = new Bench({ role: 'l1vh', cpus: 2, cpuid: { '0x40000003': { eax, edx } } });
    return { bench, ...bench.lifecycle('component-start', { component: 'vmbus' }) };
  };

  it('are there with VMBus where there is no direct mode, and go with the CPU', () => {
    const { bench, lines } = started(8, 0);
    assert.deepEqual(timers(lines).slice(0, 3), [
      '0 timer W STIMER0_COUNT 0x0',
      '0 timer W STIMER0_CONFIG 0x0',
      '0 timer W STIMER0_CONFIG 0x20009',
    ]);
    assert.deepEqual(timers(bench.lifecycle('cpu-offline', { cpu: 1 }).lines), [
      '1 timer W STIMER0_COUNT 0x0',
      '1 timer W STIMER0_CONFIG 0x0',
    ]);
    const { lines: last } = bench.lifecycle('kexec');
    assert.deepEqual(timers(last), ['0 timer W STIMER0_COUNT 0x0', '0 timer W STIMER0_CONFIG 0x0']);
    assert.ok(
      last.indexOf('0 timer W STIMER0_CONFIG 0x0') < last.findIndex((line) => line.includes('POST_MESSAGE')),
    );
  });

  it('are not there with direct mode, or without timers', () => {
    assert.deepEqual(timers(started(8, 1 << 19).lines), []);
    assert.deepEqual(timers(started(0, 0).lines), []);
  });
});
