import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { electronBinary, electronFor, type Place } from './binary.ts';

const fine: Place = {
  binary: '/opt/electron/electron',
  platform: 'linux',
  uid: 1000,
  environment: { WAYLAND_DISPLAY: 'wayland-0' },
  isCheckout: true,
};

const places: readonly (readonly [string, Partial<Place>, RegExp | undefined])[] = [
  ['a desktop', {}, undefined],
  ['X11', { environment: { DISPLAY: ':0' } }, undefined],
  ['macOS, which names no display', { platform: 'darwin', environment: {} }, undefined],
  ['no binary', { binary: undefined }, /electron:install/],
  ['root', { uid: 0 }, /as root/],
  ['a console', { environment: {} }, /display/],
  ['an empty display', { environment: { DISPLAY: '', WAYLAND_DISPLAY: '' } }, /display/],
  ['a published package', { isCheckout: false }, /no desktop program/],
];

for (const [name, change, why] of places) {
  test(`on ${name} the app runs ${why === undefined ? 'in Electron' : 'elsewhere'}`, () => {
    const here = electronFor({ ...fine, ...change });
    if (why === undefined) assert.deepEqual(here, { binary: fine.binary });
    else assert.match('why' in here ? here.why : '', why);
  });
}

test('the binary is looked for where Electron itself looks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-electron-'));
  try {
    const environment = { ELECTRON_OVERRIDE_DIST_PATH: folder };
    assert.equal(electronBinary(environment), undefined);
    writeFileSync(join(folder, 'electron'), '');
    assert.equal(electronBinary(environment), join(folder, 'electron'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
