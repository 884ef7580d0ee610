import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Arena } from '../../native/arena.ts';
import { syscall, viewOf } from '../../native/libc.ts';
import { MFD_CLOEXEC, MMAP, NR } from '../../native/numbers.ts';
import { guardRange, lostPages } from './bus-guard.ts';

const PAGE = 4096;
const LACKING = process.platform === 'linux' && process.arch === 'x64' ? undefined : 'for Linux on x86-64';

/** Two pages of a file, mapped; what makes the file one page long. */
function twoPages(): { readonly address: number; readonly shrink: () => number } {
  const memfd = syscall(NR.memfd_create, new Arena(32).text(0, 'test'), MFD_CLOEXEC);
  syscall(NR.ftruncate, memfd, 2 * PAGE);
  const address = syscall(NR.mmap, 0, 2 * PAGE, MMAP.readWrite, MMAP.shared, memfd, 0);
  return { address, shrink: () => syscall(NR.ftruncate, memfd, PAGE) };
}

test('memory whose file has become smaller is zero, and is told of', { skip: LACKING }, () => {
  const { address, shrink } = twoPages();
  const end = guardRange(address, 2 * PAGE);
  const bytes = viewOf(address, 2 * PAGE);
  bytes.fill(0x5a);
  assert.deepEqual(lostPages(), []);
  assert.equal(shrink(), 0);
  assert.equal(bytes[PAGE + 5], 0);
  bytes[PAGE + 5] = 7;
  assert.deepEqual([bytes[PAGE - 1], bytes[PAGE + 5]], [0x5a, 7]);
  assert.deepEqual(lostPages(), [address + PAGE]);
  assert.deepEqual(lostPages(), []);
  end();
});

test('elsewhere SIGBUS ends the process', { skip: LACKING }, () => {
  if (process.argv[2] === 'beyond') {
    const [guarded, other] = [twoPages(), twoPages()];
    guardRange(guarded.address, 2 * PAGE);
    other.shrink();
    assert.fail(`not ended, ${viewOf(other.address, 2 * PAGE)[PAGE]}`);
  }
  const { signal } = spawnSync(process.execPath, [import.meta.filename, 'beyond']);
  assert.equal(signal, 'SIGBUS');
});
