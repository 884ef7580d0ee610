import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseProfile } from '../../engine/trace/profile-read.ts';
import { isProblem, openTrace, TraceFileError, TraceWriter } from '../../tracer/store/index.ts';
import { eventAt } from './events.ts';

/** Mounts a file system of one megabyte; undefined where that is not permitted. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'pipe' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

const disk = smallDisk();
const why = disk === undefined ? 'not permitted to mount a small file system' : false;

test('when the disk is full the writer says so once and keeps what it has', { skip: why }, () => {
  assert.ok(disk !== undefined);
  try {
    const read = parseProfile({});
    assert.ok('profile' in read);
    const header = { profile: read.profile, given: {} };
    const path = join(disk, 'full.hvtrace');
    const writer = TraceWriter.create(path, header);
    if (isProblem(writer)) assert.fail(writer.text);
    let seq = 0;
    const fill = (): void => {
      for (;;) {
        seq += 1;
        const event = eventAt(seq, seq * 1000);
        writer.append(event.kind === 'ioctl' ? { ...event, ret: 0 } : event);
      }
    };
    const full = (error: unknown): boolean =>
      error instanceof TraceFileError && /disk is full/.test(error.message);
    assert.throws(fill, full);
    assert.throws(() => writer.append(eventAt(seq, seq * 1000)), full);
    try {
      writer.close();
    } catch (error) {
      assert.ok(full(error), String(error));
    }
    const reader = openTrace(path);
    if (isProblem(reader)) assert.fail(reader.text);
    assert.equal([...reader.range()].length, reader.events);
    assert.ok(reader.events < seq);
    reader.close();
    // Not even the header fits: no file is left.
    const second = TraceWriter.create(join(disk, 'second.hvtrace'), header);
    if (isProblem(second)) {
      assert.match(second.text, /disk is full/);
      assert.equal(existsSync(join(disk, 'second.hvtrace')), false);
    } else second.abort();
  } finally {
    // Detached: what a failed test left open must not hide why it failed.
    execFileSync('umount', ['--lazy', disk]);
    rmSync(disk, { recursive: true });
  }
});
