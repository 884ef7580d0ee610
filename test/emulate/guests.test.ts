import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sampleGuest, sampleOutput } from '../../samples/clients/guest.ts';
import { build, events, LACKING } from './build.testing.ts';
import { stage } from './shows.testing.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('guests', { skip: LACKING }, () => {
  const { folder, guest, shows } = stage();

  test('hello in TypeScript', async () => {
    const client = join(ROOT, 'samples/clients/hello.ts');
    const text = 'From TypeScript. ';
    await shows([process.execPath, client, guest(sampleGuest(text))], sampleOutput(text));
  });

  for (const linking of ['dynamic', 'static'] as const) {
    test(`hello in C (${linking})`, async () => {
      const program = build('samples/clients/hello.c', folder, ...(linking === 'static' ? ['-static'] : []));
      const text = `From C, ${linking}. `;
      const trace = await shows([program, guest(sampleGuest(text))], sampleOutput(text));
      const types = (await events(trace, 'kind == intercept')).map(({ type }) => type);
      const expected = ['HVMSG_X64_CPUID_INTERCEPT', 'HVMSG_X64_MSR_INTERCEPT', 'HVMSG_UNMAPPED_GPA'];
      for (const type of [...expected, 'HVMSG_GPA_INTERCEPT', 'HVMSG_X64_HALT'])
        assert.equal(types.filter((other) => other === type).length, 1, type);
      const written = types.filter((type) => type === 'HVMSG_X64_IO_PORT_INTERCEPT').length;
      assert.equal(written, sampleOutput(text).length);
      // The guest's own accesses to synthetic MSRs, and its hypercall.
      assert.equal((await events(trace, 'kind == msr && component == guest')).length, 2);
      const [call] = await events(trace, 'kind == hypercall && component == guest');
      assert.equal(call?.code, 'HVCALL_GET_VP_REGISTERS');
      assert.deepEqual(call?.output, { values: ['0x12345678'] });
    });
  }

  test('private memory that is given in parts and as a whole', async () => {
    const program = build('test/emulate/clients/overlap.c', folder);
    await shows([program], 'part=ok\nwhole=ok\nagain=ok\nrun=ok\nmessage=80010007\n');
  });

  const REMAPPED = [
    ...['remapped', 'memory=ok', 'one=ok', 'run=ok', 'message=80010007 wrote=5a', 'take=ok', 'other=ok'],
    ...['take=ok', 'runs=ok', 'message=80000000', 'kept=0', ''],
  ];
  test('8 GiB of memory, regions that overlap, memory taken between runs and while the guest runs', async () => {
    const program = build('test/emulate/clients/regions.c', folder, '-pthread');
    const big = ['big=ok', 'overlap=EEXIST', 'part=EINVAL', 'run=ok', 'message=80010007 wrote=5a small=1'];
    const both = ['private', ...big, 'take=ok', 'shared', ...big, 'take=ok', 'blocks=1'];
    await shows([program], [...both, ...REMAPPED].join('\n'));
  });

  test('memory that is only read, pages of 8 GiB that were touched, what the program does to memory that its guest has', async () => {
    const program = build('test/emulate/clients/memory.c', folder);
    const expected = [
      // HVMSG_GPA_INTERCEPT of a write, HVMSG_UNMAPPED_GPA, and its end.
      ...['memory=ok', 'readable=ok', 'run=ok', 'message=80000001 access=1 gpa=1000 page=33'],
      ...['take=ok', 'run=ok', 'message=80000000 access=1 gpa=1000 page=33'],
      ...['writable=ok', 'run=ok', 'message=80010007 page=5a'],
      // Two pages were touched; what the driver has mapped with them, 512 at a time, counts.
      ...['big=ok', 'before=ok', 'set=0 first=0', 'run=ok', 'message=80010007 page=5a'],
      ...[
        'accessed=ok',
        'set=1024 first=ff',
        'dirty=ok',
        'set=1024 first=ff',
        'dirty-again=ok',
        'set=0 first=0',
      ],
      ...['three=ok', 'not-forked=absent', 'forked=42', 'read-protected=EFAULT', 'not-protected=ok'],
      ...[
        'pages=40 41 0',
        'memory=ok',
        'page=ok',
        'moved=ok',
        'run=ok',
        'message=80000001 access=0 gpa=1000 page=0',
      ],
      ...['unmap=ok', 'taken=ok', 'again=EINVAL'],
    ];
    await shows([program], `${expected.join('\n')}\n`);
  });

  test('memory of a file that the program makes smaller: its guest finds zeros, and nobody ends', async () => {
    const program = build('test/emulate/clients/shrunk.c', folder);
    const exits = ['80010000 al=11', '80010000 al=0', '80010000 al=7', '80010007 al=7'];
    const runs = exits.map((exit) => `run=ok\nmessage=${exit}\n`);
    const out = `memory=ok\nlow=ok\n${runs[0]}shrink=ok\n${runs.slice(1).join('')}`;
    const trace = await shows([program], out);
    const [mark] = await events(trace, 'kind == mark');
    assert.deepEqual(
      [mark?.what, mark?.text],
      ['unmodelled', '1 pages of guest memory whose file is shorter now: zero'],
    );
  });

  test('private memory of a program that is traced: ENOMEM, there and in the recording', async () => {
    const program = build('test/emulate/clients/traced.c', folder);
    const trace = await shows([program], 'private=ENOMEM\nagain=ENOMEM\ntraced=ok\n');
    const rets = (await events(trace, 'op == MSHV_SET_GUEST_MEMORY')).map(({ ret }) => ret);
    assert.deepEqual(rets, [-12, -12]);
  });

  test('what the emulated processor lacks is said where it was met, and at the end', async () => {
    const program = build('test/emulate/clients/lacking.c', folder);
    const summary = join(folder, 'lacking.json');
    const trace = await shows([program], 'memory=ok\nrun=ok\nmessage=80000021\n', {
      more: ['--summary', summary],
    });
    const text = 'the guest processor lacks x87 exceptions without CR0.NE';
    const marks = await events(trace, 'kind == mark');
    assert.deepEqual(
      marks.map(({ what, text: said, vp }) => [what, said, vp]),
      [['unmodelled', text, '2.0']],
    );
    assert.deepEqual(JSON.parse(readFileSync(summary, 'utf8')).lacking, { [text]: 1 });
  });

  test('what the program puts before its guest: CPUID results, an interruption, an exception', async () => {
    const program = build('test/emulate/clients/injected.c', folder);
    const halted = (result: string) => `run=ok\nmessage=80010007 result=${result}\n`;
    const given = ['cpuid=ok\ninterruption=ok\n', 'exception=ok\n', 'nothing=ok\n'];
    await shows([program], `${given[0]}${halted('600d')}${given[1]}${halted('6')}${given[2]}${halted('0')}`);
  });

  test('hello in C for the interface of 2020', async () => {
    const program = build('samples/clients/hello-rfc2020.c', folder);
    const text = 'In 2020. ';
    const trace = await shows([program, guest(sampleGuest(text))], sampleOutput(text), {
      profile: 'kernel=rfc2020',
    });
    const [state] = await events(trace, 'op == MSHV_GET_VP_STATE');
    assert.equal(state?.ret, 0);
    assert.equal((await events(trace, 'kind == fd')).filter(({ what }) => what === 'mmap').length, 1);
  });
});
