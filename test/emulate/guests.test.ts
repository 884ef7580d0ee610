import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  checksumText,
  type GuestStep,
  guestProgram,
  HYPERCALL_PAGE,
  SAMPLE,
  sampleGuest,
  sampleOutput,
} from '../../samples/clients/guest.ts';
import { build, emulate, events, LACKING, scratch, verify } from './build.testing.ts';

const ROOT = join(import.meta.dirname, '../..');
const UNPRIVILEGED = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
const isRoot = process.getuid?.() === 0;

describe('guests', { skip: LACKING }, () => {
  const folder = scratch();
  let count = 0;

  function guest(bytes: Uint8Array): string {
    const path = join(folder, `guest-${count++}.bin`);
    writeFileSync(path, bytes);
    return path;
  }

  /** The program's text and status are right, and the trace replays to the same hash with most answers checked. */
  async function shows(
    command: readonly string[],
    output: string,
    options: { readonly before?: readonly string[]; readonly profile?: string } = {},
  ): Promise<string> {
    const { exit, out, err, trace } = await emulate(folder, command, options);
    assert.equal(err, '');
    assert.equal(out, output);
    assert.equal(exit, 0);
    const { divergences, verified, checked, bound } = verify(trace);
    assert.deepEqual(divergences, []);
    assert.equal(verified, true);
    assert.ok(checked > 100 && checked >= 3 * bound, `${checked} checked, ${bound} bound`);
    return trace;
  }

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
      const types = events(trace, 'kind == intercept').map(({ type }) => type);
      const expected = ['HVMSG_X64_CPUID_INTERCEPT', 'HVMSG_X64_MSR_INTERCEPT', 'HVMSG_UNMAPPED_GPA'];
      for (const type of [...expected, 'HVMSG_GPA_INTERCEPT', 'HVMSG_X64_HALT'])
        assert.equal(types.filter((other) => other === type).length, 1, type);
      const written = types.filter((type) => type === 'HVMSG_X64_IO_PORT_INTERCEPT').length;
      assert.equal(written, sampleOutput(text).length);
      // The guest's own accesses to synthetic MSRs, and its hypercall.
      assert.equal(events(trace, 'kind == msr && component == guest').length, 2);
      const [call] = events(trace, 'kind == hypercall && component == guest');
      assert.equal(call?.code, 'HVCALL_GET_VP_REGISTERS');
      assert.deepEqual(call?.output, { values: ['0x12345678'] });
    });
  }

  test('hello in C for the interface of 2020', async () => {
    const program = build('samples/clients/hello-rfc2020.c', folder);
    const text = 'In 2020. ';
    const trace = await shows([program, guest(sampleGuest(text))], sampleOutput(text), {
      profile: 'kernel=rfc2020',
    });
    const [state] = events(trace, 'op == MSHV_GET_VP_STATE');
    assert.equal(state?.ret, 0);
    assert.equal(events(trace, 'kind == fd').filter(({ what }) => what === 'mmap').length, 1);
  });

  const identity = { writeMsr: SAMPLE.osId, value: 1 };
  const callPage = { writeMsr: SAMPLE.hypercall, value: HYPERCALL_PAGE | 1 };
  const post = { hypercall: { code: 0x5c, input: new Array<number>(256).fill(0) } };
  const programs: readonly { readonly steps: readonly GuestStep[]; readonly output: string }[] = [
    { steps: [{ print: 'ä€ and more\n' }], output: 'ä€ and more\n' },
    { steps: [{ checksum: { rounds: 1, seed: 0 } }], output: checksumText(1, 0) },
    {
      steps: [{ checksum: { rounds: 300_000, seed: 7 } }, { print: '!' }],
      output: `${checksumText(300_000, 7)}!`,
    },
    { steps: [], output: '' },
    // POST_MESSAGE to a connection that nobody made; then a code that nobody knows.
    {
      steps: [identity, callPage, post, { hypercall: { code: 0x7fff, input: [] } }],
      output: '0000001200000002',
    },
  ];
  for (const { steps, output } of programs) {
    test(`a guest that prints ${JSON.stringify(output)}`, async () => {
      const program = build('samples/clients/hello.c', folder);
      await shows([program, guest(guestProgram(steps))], output);
    });
  }

  test('private memory and an ordinary user', { skip: isRoot ? false : 'not root' }, async () => {
    const program = build('samples/clients/hello.c', folder, '-DGUEST_MEMORY=MAP_PRIVATE');
    const text = 'As nobody. ';
    await shows([program, guest(sampleGuest(text))], sampleOutput(text), { before: UNPRIVILEGED });
    await shows([program, guest(sampleGuest(text))], sampleOutput(text));
  });

  test('shared memory and an ordinary user', { skip: isRoot ? false : 'not root' }, async () => {
    const program = build('samples/clients/hello.c', folder);
    const text = 'Shared. ';
    await shows([program, guest(sampleGuest(text))], sampleOutput(text), { before: UNPRIVILEGED });
  });
});
