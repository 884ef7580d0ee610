import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { guestProgram } from '../../samples/clients/guest.ts';
import { build, emulate, events, LACKING, scratch, verify } from './build.testing.ts';

async function agrees(trace: string): Promise<void> {
  const { divergences, verified } = await verify(trace);
  assert.deepEqual({ divergences, verified }, { divergences: [], verified: true });
}

describe('guests that are interrupted', { skip: LACKING }, () => {
  const folder = scratch();

  test('signals end MSHV_RUN_VP; the guest goes on where it was', async () => {
    const { exit, out, trace } = await emulate(folder, [build('test/emulate/clients/signal.c', folder)]);
    assert.equal(exit, 0);
    assert.equal(out, 'memory=ok\nrun=EINTR\nagain=EINTR\nasks=EINTR\nhalt=ok\nmessage=80010007\n');
    await agrees(trace);
  });

  test('signals before MSHV_RUN_VP, held back while it runs, and during it', async () => {
    const program = build('test/emulate/clients/kicks.c', folder, '-pthread');
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(exit, 0);
    const exits = 'before=ok\nmessage=80010000 handled=1\nheld=ok\nmessage=80010000 handled=1 rip=fff0\n';
    const kicked = [3, 4].map((handled) => `during=EINTR\nvalid=1 rip=fff2 handled=${handled}\n`).join('');
    assert.equal(out, `memory=ok\n${exits}${kicked}after=ok\nmessage=80010000\n`);
    const runs = (await events(trace, 'op == MSHV_RUN_VP')).map(({ ret }) => ret);
    // On a busy machine a kick may come before the call is seen: then it is in no trace.
    assert.deepEqual(
      runs.filter((ret) => ret !== -4),
      [0, 0, 0],
    );
    await agrees(trace);
  });

  test('a kick by another thread ends MSHV_RUN_VP, and none of the calls beside it', async () => {
    const program = build('test/emulate/clients/kicked.c', folder, '-pthread');
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(out, 'memory=ok\nfailed=0 handled=150 exits=some kicks=some\n');
    assert.equal(exit, 0);
    await agrees(trace);
  });

  test('four VPs at once, signalled all the while: none waits for another, no exit is lost or comes twice', async () => {
    const program = build('test/emulate/clients/together.c', folder, '-pthread');
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(out, 'low=ok\nhigh=ok\nwaiting=3\ncount=4 exits=160 wrong=0 halted=4\n');
    assert.equal(exit, 0);
    const types = (await events(trace, 'kind == intercept')).map(({ type }) => type);
    assert.ok(types.filter((type) => type === 'HVMSG_X64_IO_PORT_INTERCEPT').length >= 160);
    assert.equal(types.filter((type) => type === 'HVMSG_X64_HALT').length, 4);
    await agrees(trace);
  });

  test('a guest that halts sleeps where the hypervisor has the interrupt controller', async () => {
    const { exit, out, trace } = await emulate(folder, [build('test/emulate/clients/sleep.c', folder)]);
    assert.equal(exit, 0);
    assert.equal(out, 'memory=ok\nsleep=EINTR\nsleep=EINTR\n');
    // It executed its HLT once, and the engine knows where it sleeps.
    const stops = (await events(trace, 'kind == intercept')).filter(({ type }) => type === 'HVMSG_NONE');
    const [stop, ...more] = stops;
    assert.deepEqual(more, []);
    const registers = stop?.registers as { name: string; value: string }[];
    const value = (name: string) => registers.find((register) => register.name === name)?.value;
    assert.deepEqual([value('HV_X64_REGISTER_RIP'), value('HV_X64_REGISTER_RAX')], ['0xfff2', '0x1']);
    await agrees(trace);
  });

  test('a guest takes interrupts when it may, in its sleep, and while it runs', async () => {
    const { exit, out, trace } = await emulate(folder, [build('test/emulate/clients/interrupts.c', folder)]);
    const rounds = [1, 2, 3].map((round) => `signal=ok\ntaken=${round}\n`).join('');
    assert.equal(
      out,
      `low=ok\nhigh=ok\nrouting=ok\nirqfd=ok\nlevel=ok\n${rounds}between=2\nsignal=ok\nended=ok\ntimes=1 taken=4\nassert=ok\ntaken=5\n`,
    );
    assert.equal(exit, 0);
    assert.equal((await events(trace, 'op == MSHV_RUN_VP')).length, 1);
    assert.equal((await events(trace, 'kind == msr && msr == HV_X64_MSR_EOI')).length, 5);
    await agrees(trace);
  });

  test('a guest starts its second processor, and its APIC timer wakes it', async () => {
    const { exit, out, trace } = await emulate(folder, [build('test/emulate/clients/apic.c', folder)]);
    assert.equal(out, 'low=ok\nhigh=ok\nstarted=0\nticked=1 started=1\n');
    assert.equal(exit, 0);
    assert.ok((await events(trace, 'kind == msr && msr == 0x80b')).length >= 5);
    await agrees(trace);
  });

  test('an INIT by a call or an eventfd ends what a VP does in another thread, and a SIPI starts it elsewhere', async () => {
    const program = build('test/emulate/clients/init.c', folder, '-pthread');
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.deepEqual(out.trim().split('\n'), [
      ...['memory=ok', 'init=ok', 'sipi=ok', 'counts=1'],
      ...['routing=ok', 'irqfd=ok', 'rip=1 rax=0 stopped=1', 'sipi=ok', 'counts=1'],
      ...['init-again=ok', 'rip=1 stopped=1', 'sipi-again=ok', 'started=1 stopped=1'],
    ]);
    assert.equal(exit, 0);
    // The one through an eventfd: the VP is stopped first, and so is what it would have changed after it.
    const all = await events(trace, 'kind == fd || kind == intercept');
    const signal = all.findIndex(({ what }) => what === 'eventfd-signal');
    assert.deepEqual([all[signal - 1]?.kind, all[signal - 1]?.type], ['intercept', 'HVMSG_NONE']);
    await agrees(trace);
  });

  test('a guest reads messages of its timer on a page that lies over its memory, and the time, until it sets its TSC', async () => {
    const { exit, out, trace } = await emulate(folder, [build('test/emulate/clients/messages.c', folder)]);
    assert.equal(out, 'low=ok\nhigh=ok\ncount=3 type=10 used=1 unused=1 below=5a untouched=5a\n');
    assert.equal(exit, 0);
    assert.ok((await events(trace, 'kind == message && component == guest')).length >= 3);
    await agrees(trace);
  });

  test('a program that is killed while its guest runs', async () => {
    const program = build('samples/clients/hello.c', folder);
    const spin = join(folder, 'spin.bin');
    writeFileSync(spin, guestProgram([{ print: 'on' }, { spin: true }]));
    const { exit, trace } = await emulate(folder, ['timeout', '-s', 'KILL', '3', program, spin]);
    assert.equal(exit, 128 + 9);
    const [last] = (await events(trace, 'op == MSHV_RUN_VP')).slice(-1);
    assert.equal(last?.ret, -4);
    assert.equal((await events(trace, 'code == HVCALL_DELETE_PARTITION && status == 0')).length, 1);
    await agrees(trace);
  });
});
