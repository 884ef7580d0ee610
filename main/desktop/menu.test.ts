import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MenuItemConstructorOptions } from 'electron';
import { type MenuAction, type MenuState, menuTemplate } from './menu.ts';

const state: MenuState = { hasTrace: true, recent: [], developer: false, platform: 'linux' };

function items(given: MenuState, log: string[] = []): MenuItemConstructorOptions[] {
  const template = menuTemplate(given, {
    run: (action: MenuAction) => log.push(action),
    openRecent: (path) => log.push(path),
  });
  const all = (list: readonly MenuItemConstructorOptions[]): MenuItemConstructorOptions[] =>
    list.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? all(item.submenu) : [])]);
  return all(template);
}

const click = (item: MenuItemConstructorOptions | undefined): void =>
  (item?.click as (() => void) | undefined)?.();

describe('the menus', () => {
  test('give no key twice, and leave the page those without a modifier', () => {
    const keys = items(state).flatMap(({ accelerator }) => (accelerator === undefined ? [] : [accelerator]));
    assert.equal(new Set(keys).size, keys.length);
    for (const key of keys) assert.match(String(key), /^CmdOrCtrl\+/);
    assert.ok(!keys.includes('CmdOrCtrl+K'));
  });

  test('do what they say', () => {
    const log: string[] = [];
    for (const item of items({ ...state, recent: ['/a.hvtrace'] }, log)) click(item);
    assert.deepEqual(log, ['open', '/a.hvtrace', 'clear-recent', 'compare', 'save-packed', 'close-trace']);
  });

  test('offer only what is possible', () => {
    const enabled = (given: MenuState, id: string) => items(given).find((item) => item.id === id)?.enabled;
    const empty = { ...state, hasTrace: false };
    assert.deepEqual(
      ['open', 'compare', 'save-packed', 'close-trace', 'recent'].map((id) => enabled(empty, id)),
      [true, false, false, false, false],
    );
    assert.equal(enabled({ ...state, recent: ['/a.hvtrace'] }, 'recent'), true);
    const roles = (given: MenuState) => items(given).map(({ role }) => role);
    assert.ok(!roles(state).includes('toggleDevTools'));
    assert.ok(roles({ ...state, developer: true }).includes('toggleDevTools'));
    assert.equal(items({ ...state, platform: 'darwin' })[0]?.role, 'appMenu');
  });

  test('show a file name as it is', () => {
    const labels = items({ ...state, recent: ['/a&b/c&d.hvtrace'] }).map(({ label }) => label);
    assert.ok(labels.includes('c&&d.hvtrace  (/a&&b/c&&d.hvtrace)'));
  });
});
