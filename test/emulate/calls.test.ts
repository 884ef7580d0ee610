import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { build, emulate, events, LACKING, results, scratch, verify } from './build.testing.ts';

async function agrees(trace: string): Promise<void> {
  const { divergences, verified, checked, bound } = await verify(trace);
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
      const opens = (await events(trace, 'kind == fd')).filter(({ what }) => what === 'open');
      assert.deepEqual(
        opens.map(({ handle, ret }) => handle ?? ret),
        ['device', 'device:2', 'device:3', -17, -20],
      );
      await agrees(trace);
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
      ...{ 'memory-unaligned': 'EINVAL', 'memory-nowhere': 'EINVAL' },
      ...{ vp: 'ok', 'vp-again': 'EEXIST', unknown: 'ENOTTY', 'no-bitmap': 'EFAULT' },
      ...{ 'register-page': 'ok', 'message-page': 'ok', 'ghcb-page': 'ENODEV', 'no-page': 'EINVAL' },
      ...{ 'partition-page': 'ENODEV', foreign: 'ENOTTY' },
    });
    const [bitmap] = await events(trace, 'op == MSHV_GET_GPAP_ACCESS_BITMAP');
    assert.equal(bitmap?.ret, -14);
    await agrees(trace);
  });

  test('translations through the page tables of a guest', async () => {
    const program = build('test/emulate/clients/translate.c', folder);
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(exit, 0);
    assert.deepEqual(results(out), {
      ...{ initialize: 'ok', memory: 'ok', vp: 'ok', run: 'ok', message: '80010007' },
      // Result code and frame: 5 no access before the guest touched it, 2 not to be written, 1 not present, 4 not mapped.
      ...{ 'plain-untouched': '5,0', plain: '0,3', page: '0,5', write: '2,0', user: '0,5' },
      ...{ absent: '1,0', beyond: '4,0', large: '4,0', changed: '0,6' },
    });
    const shown = await events(trace, 'kind == page');
    assert.deepEqual([...new Set(shown.map(({ gpa }) => gpa))].sort(), [
      ...['0x1000', '0x2000', '0x2008', '0x3010', '0x3018', '0x3020'],
    ]);
    await agrees(trace);
  });

  test('state of a VP: its LAPIC, and the message page that the guest sees', async () => {
    const program = build('test/emulate/clients/synic-pages.c', folder);
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(exit, 0);
    assert.deepEqual(out.trim().split('\n'), [
      ...['initialize=ok', 'memory=ok', 'memory=ok', 'vp=ok'],
      ...['lapic=ok', 'set-lapic=ok', 'lapic-again=ok', 'svr=1ff lint0=7', 'run=ok', 'message=80010007'],
      ...['simp=ok', 'guest=77', 'set-simp=ok', 'run=ok', 'message=80010007', 'seen=99 below=0'],
    ]);
    assert.deepEqual(
      (await events(trace, 'kind == page')).map(({ page, vp }) => [page, vp]),
      [['simp', '2.0']],
    );
    await agrees(trace);
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
      ...{
        'how-flags': 'EINVAL',
        'how-beneath': 'EXDEV',
        unmap: 'ok',
        'unmap-range': 'ok',
        'unmap-other': 'ok',
      },
    });
    const unmapped = (await events(trace, 'kind == fd')).filter(({ what }) => what === 'munmap');
    assert.deepEqual(
      unmapped.map(({ handle, offset, size }) => [handle, offset, size]),
      [
        ['vp:2.0', '0x1000', '0x1000'],
        ['vp:2.0', '0x0', '0x1000'],
      ],
    );
    const { divergences, verified } = await verify(trace);
    assert.deepEqual({ divergences, verified }, { divergences: [], verified: true });
  });

  test('calls of 32-bit programs, rings, and calls that the device has no entry for', async () => {
    const program = build('test/emulate/clients/compat.c', folder);
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(exit, 0);
    assert.deepEqual(results(out), {
      ...{ open: 'ok', openat: 'ok', access: 'ok', ioctl: 'ENOTTY', dup: 'ok', fcntl: 'ok', close: 'ok' },
      ...{ closed: 'EBADF', copy: 'ok', 'close-range': 'ok', 'range-closed': 'EBADF' },
      ...{ ring: 'ENOSYS', 'ring-enter': 'ENOSYS', 'ring-32': 'ENOSYS' },
      ...{ poll: 'ok', epoll: 'EPERM', read: 'EINVAL', write: 'EINVAL', truncate: 'EINVAL' },
      ...{ 'truncate-vp': 'EINVAL', dup2: 'ok', 'truncate-40': 'EPERM', run: 'EFAULT' },
    });
    const fds = await events(trace, 'kind == fd');
    assert.deepEqual(
      fds.slice(0, 5).map(({ what }) => what),
      ['open', 'open', 'dup', 'dup', 'close'],
    );
    const [note] = await events(trace, 'kind == mark');
    assert.match(String(note?.text), /by a 32-bit program: ENOTTY/);
    const { divergences, verified } = await verify(trace);
    assert.deepEqual({ divergences, verified }, { divergences: [], verified: true });
  });

  test('eventfds: interrupts, doorbells; which pages were touched', async () => {
    const program = build('test/emulate/clients/eventfd.c', folder);
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(exit, 0);
    assert.deepEqual(results(out), {
      ...{ routing: 'ok', irqfd: 'ok', 'irqfd-again': 'EBUSY', 'irqfd-closed': 'EBADF' },
      ...{ 'irqfd-flags': 'EINVAL', 'irqfd-file': 'EINVAL', doorbell: 'ok', 'doorbell-again': 'EEXIST' },
      // The guest rang once, then wrote where nothing is; the line's count was taken.
      ...{ rung: '1', message: '80000000', line: '0', bitmap: 'ok', dirty: '80', 'bitmap-empty': 'EINVAL' },
      ...{ 'doorbell-gone': 'ok', 'doorbell-none': 'ENOENT', 'irqfd-gone': 'ok' },
    });
    const asserted = await events(trace, 'code == HVCALL_ASSERT_VIRTUAL_INTERRUPT && status == 0');
    assert.deepEqual([asserted.length, asserted[0]?.component], [1, 'mshv']);
    assert.equal((await events(trace, 'kind == intercept')).length, 3);
    await agrees(trace);
  });

  test('doorbells for one value, for any value, for any size; after their end', async () => {
    const program = build('test/emulate/clients/doorbells.c', folder);
    const { exit, out, trace } = await emulate(folder, [program]);
    assert.equal(exit, 0);
    const { word, rung, ...ends } = results(out);
    assert.deepEqual([word, rung], ['80000000 at d0010', '1 2 3']);
    const made = { memory: 'ok', one: 'ok', value: 'ok', size: 'ok', port: 'EOPNOTSUPP' };
    assert.deepEqual(ends, { ...made, gone: 'ok', none: 'ENOENT' });
    // Six writes did not stop the VP; the seventh did.
    const stops = (await events(trace, 'kind == intercept')).map(({ type }) => type);
    assert.equal(stops.filter((type) => type === 'HVMSG_SYNIC_SINT_INTERCEPT').length, 6);
    assert.equal(stops.at(-1), 'HVMSG_UNMAPPED_GPA');
    await agrees(trace);
  });
});
