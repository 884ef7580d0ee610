import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  checksumText,
  guestProgram,
  HYPERCALL_PAGE,
  SAMPLE,
  sampleGuest,
  sampleOutput,
} from '../../samples/clients/guest.ts';
import { isRoot, NOBODY, shutToNobody } from '../ordinary-user.testing.ts';
import { build, emulate, LACKING } from './build.testing.ts';
import { stage } from './shows.testing.ts';

const UNPRIVILEGED = ['setpriv', '--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
const asNobody = { skip: isRoot ? shutToNobody : 'not root' };

describe('programs of guests, and users', { skip: LACKING }, () => {
  const { folder, guest, shows } = stage();

  test('texts, loop counts, checksums and hypercalls', async () => {
    const steps = [
      { print: 'ä€ and more\n' },
      { checksum: { rounds: 1, seed: 0 } },
      { checksum: { rounds: 300_000, seed: 7 } },
      { print: '!' },
      { writeMsr: SAMPLE.osId, value: 1 },
      { writeMsr: SAMPLE.hypercall, value: HYPERCALL_PAGE | 1 },
      // POST_MESSAGE to a connection that nobody made; then a code that nobody knows.
      { hypercall: { code: 0x5c, input: new Array<number>(256).fill(0) } },
      { hypercall: { code: 0x7fff, input: [] } },
    ];
    const sums = `${checksumText(1, 0)}${checksumText(300_000, 7)}`;
    const program = build('samples/clients/hello.c', folder);
    await shows([program, guest(guestProgram(steps))], `ä€ and more\n${sums}!0000001200000002`);
  });

  test('its environment is that of the command, without where Node keeps compiled code', async () => {
    const before = ['env', '-u', 'NODE_COMPILE_CACHE', 'WORD=kept'];
    const { out } = await emulate(folder, ['env'], { before });
    const lines = out.split('\n').filter((line) => /^(?:WORD|NODE_COMPILE_CACHE)=/.test(line));
    assert.deepEqual(lines, ['WORD=kept']);
  });

  test('a guest that only halts', async () => {
    await shows([build('samples/clients/hello.c', folder), guest(guestProgram([]))], '');
  });

  test('private memory and an ordinary user', asNobody, async () => {
    const program = build('samples/clients/hello.c', folder, '-DGUEST_MEMORY=MAP_PRIVATE');
    const text = 'As nobody. ';
    await shows([program, guest(sampleGuest(text))], sampleOutput(text), { before: UNPRIVILEGED });
    await shows([program, guest(sampleGuest(text))], sampleOutput(text));
  });

  test('shared memory and an ordinary user', asNobody, async () => {
    const program = build('samples/clients/hello.c', folder);
    const text = 'Shared. ';
    await shows([program, guest(sampleGuest(text))], sampleOutput(text), { before: UNPRIVILEGED });
  });
});
