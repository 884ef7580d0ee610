import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { build, emulate, events, LACKING, scratch, verify } from './build.testing.ts';

/** `name=result` lines. */
function results(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('=') as [string, string]),
  );
}

function agrees(trace: string): void {
  const { divergences, verified, checked, bound } = verify(trace);
  assert.deepEqual(divergences, []);
  assert.equal(verified, true);
  assert.ok(checked >= 3 * bound, `${checked} checked, ${bound} bound`);
}

describe('calls of a program', { skip: LACKING }, () => {
  const folder = scratch();

  for (const linking of ['dynamic', 'static'] as const) {
    test(`descriptors: opened, duplicated, closed (${linking})`, async () => {
      const options = linking === 'static' ? ['-static'] : [];
      const program = build('test/emulate/clients/descriptors.c', folder, ...options);
      const { exit, out, trace } = await emulate(folder, [program]);
      assert.equal(exit, 0);
      const expected = {
        ...{ open: 'ok', openat2: 'ok', openat: 'ok', exclusive: 'EEXIST', directory: 'ENOTDIR' },
        ...{ other: 'ok', missing: 'ENOENT', partition: 'ok', initialize: 'ok', vp: 'ok', dup: 'ok' },
        ...{ close: 'ok', 'close-again': 'EBADF', 'use-closed': 'EBADF', 'index-taken': 'EEXIST' },
        ...{ 'dup3-invalid': 'EINVAL', dup2: 'ok', 'through-dup2': 'ok', fcntl: 'ok' },
        ...{ 'close-range': 'ok', 'kept-by-dup2': 'ok', 'close-40': 'ok', 'closed-40': 'EBADF' },
      };
      assert.deepEqual(results(out), expected);
      const opens = events(trace, 'kind == fd').filter(({ what }) => what === 'open');
      assert.deepEqual(
        opens.map(({ handle, ret }) => handle ?? ret),
        ['device', 'device:2', 'device:3', -17, -20],
      );
      agrees(trace);
    });
  }

  test('pointers that lead nowhere, wrong sizes, wrong files', async () => {
    const program = build('test/emulate/clients/errors.c', folder);
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(exit, 0);
    assert.deepEqual(results(out), {
      ...{ null: 'EFAULT', nowhere: 'EFAULT', 'not-canonical': 'EFAULT', half: 'EFAULT' },
      ...{ 'unknown-flag': 'EINVAL', isolation: 'EINVAL', 'wrong-size': 'ENOTTY', 'wrong-file': 'ENOTTY' },
      ...{ initialize: 'ok', 'initialize-again': 'ok', 'vp-index': 'EINVAL', 'vp-nowhere': 'EFAULT' },
      ...{ vp: 'ok', 'vp-again': 'EEXIST', unknown: 'ENOTTY' },
      ...{ 'register-page': 'ok', 'message-page': 'ok', 'ghcb-page': 'ENODEV', 'no-page': 'EINVAL' },
      ...{ 'partition-page': 'ENODEV', foreign: 'ENOTTY' },
    });
    agrees(trace);
  });

  test('looks at the device: stat, access, its name alone; unmapped pages', async () => {
    const program = build('test/emulate/clients/looks.c', folder);
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(exit, 0);
    const device = 'chr,600,10';
    assert.deepEqual(results(out), {
      ...{ stat: device, lstat: device, fstatat: device, 'fstat-device': device, 'stat-old': device },
      ...{ 'fstat-partition': 'none,600,0', 'stat-nowhere': 'EFAULT', 'stat-missing': 'ENOENT' },
      ...{ 'stat-null': 'chr,666,1', statx: 'ok', 'statx-kind': device },
      ...{ access: 'ok', 'access-read-write': 'ok', 'access-execute': 'EACCES', 'access-mode': 'EINVAL' },
      ...{ faccessat: 'ok', faccessat2: 'ok', 'access-missing': 'ENOENT' },
      ...{ name: 'ok', 'name-stat': device, 'name-ioctl': 'EBADF', 'name-map': 'EBADF' },
      ...{ 'name-copy': 'ok', 'name-close': 'ok', direct: 'EINVAL', creat: 'ok' },
      ...{ how: 'ok', 'how-short': 'EINVAL', 'how-long': 'E2BIG', 'how-mode': 'EINVAL' },
      ...{ 'how-flags': 'EINVAL', 'how-beneath': 'EXDEV', unmap: 'ok', 'unmap-other': 'ok' },
    });
    const [unmapped] = events(trace, 'kind == fd').filter(({ what }) => what === 'munmap');
    assert.deepEqual([unmapped?.handle, unmapped?.offset, unmapped?.size], ['vp:2.0', '0x1000', '0x1000']);
    const { divergences, verified } = verify(trace);
    assert.deepEqual({ divergences, verified }, { divergences: [], verified: true });
  });

  test('eventfds: interrupts, doorbells; which pages were touched', async () => {
    const program = build('test/emulate/clients/eventfd.c', folder);
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(exit, 0);
    assert.deepEqual(results(out), {
      ...{ routing: 'ok', irqfd: 'ok', 'irqfd-again': 'EBUSY', 'irqfd-closed': 'EBADF' },
      ...{ 'irqfd-file': 'EINVAL', doorbell: 'ok', 'doorbell-again': 'EEXIST' },
      // The guest rang once, then wrote where nothing is; the line's count was taken.
      ...{ rung: '1', message: '80000000', line: '0', bitmap: 'ok', dirty: '80', 'bitmap-empty': 'EINVAL' },
      ...{ 'doorbell-gone': 'ok', 'doorbell-none': 'ENOENT', 'irqfd-gone': 'ok' },
    });
    const asserted = events(trace, 'code == HVCALL_ASSERT_VIRTUAL_INTERRUPT && status == 0');
    assert.deepEqual([asserted.length, asserted[0]?.component], [1, 'mshv']);
    assert.equal(events(trace, 'kind == intercept').length, 3);
    agrees(trace);
  });

  describe('fork', () => {
    let program = '';
    before(() => {
      program = build('test/emulate/clients/fork.c', folder);
    });

    for (const [how, what] of [
      ['wait', 'parent and child share the partition'],
      ['close', 'the child has it when the parent closed it'],
      ['exit', 'the child has it when the parent has ended'],
    ] as const) {
      test(what, async () => {
        const { exit, out, trace } = await emulate(folder, [program, how]);
        assert.equal(exit, 0);
        assert.equal(results(out).child, 'ok');
        // The last one to go takes the partition with it.
        assert.equal(events(trace, 'code == HVCALL_DELETE_PARTITION && status == 0').length, 1);
        agrees(trace);
      });
    }
  });

  test('a program that does not use the device is left alone', async () => {
    const { exit, out, trace } = await emulate(folder, ['sh', '-c', 'echo hello; exit 42']);
    assert.equal(exit, 42);
    assert.equal(out, 'hello\n');
    assert.deepEqual(events(trace, 'kind == fd || kind == ioctl'), []);
  });

  test('a program that is killed: 128 and the signal', async () => {
    const { exit } = await emulate(folder, ['sh', '-c', 'kill -9 $$']);
    assert.equal(exit, 128 + 9);
  });

  test('what a slow reader has not read yet is not lost', async () => {
    const { exit, out } = await emulate(folder, ['sh', '-c', 'seq 1 200000']);
    assert.equal(exit, 0);
    assert.equal(out.length, 1_288_895);
  });

  test('trouble of its own: 2, and nothing is started', async () => {
    const { exit, err } = await emulate(folder, ['/nonexistent/program']);
    assert.equal(exit, 2);
    assert.match(err, /no such program/);
  });
});
