/** The double itself: it refuses what it does not model, and answers as Electron does where the program could go wrong. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { app } from './double/app.ts';
import { codec } from './double/in-page.ts';
import { Menu } from './double/menu.ts';
import { protocol } from './double/protocol.ts';
import { session } from './double/session.ts';
import { BrowserWindow } from './double/window.ts';

const ask = (what: object, member: string): unknown => (what as Record<string, unknown>)[member];

describe('the double', () => {
  test('throws for members that it does not have', () => {
    assert.throws(() => ask(app, 'setAboutPanelOptions'), /app\.setAboutPanelOptions is not modelled/);
    assert.throws(() => ask(app.commandLine, 'hasSwitch'), /app\.commandLine\.hasSwitch is not modelled/);
    assert.throws(() => ask(protocol, 'registerFileProtocol'), /protocol\.registerFileProtocol/);
    assert.throws(() => app.getPath('downloads'), /getPath\("downloads"\) is not modelled/);
  });

  test('keeps the order of before and after ready', () => {
    assert.throws(() => session.defaultSession, /only after app is ready/);
    assert.throws(() => protocol.handle('x', () => new Response()), /only after app is ready/);
    assert.throws(() => new BrowserWindow({}), /only after app is ready/);
  });

  test('refuses menu items that Electron refuses, and clicks that it does not model', () => {
    assert.throws(() => Menu.buildFromTemplate([{}]), TypeError);
    const [zoom, off] = Menu.buildFromTemplate([
      { role: 'zoomIn' },
      {
        label: 'off',
        enabled: false,
        click: () => {
          throw new Error('chosen');
        },
      },
    ]).items;
    assert.throws(() => zoom?.choose(), /role zoomIn is not modelled/);
    off?.choose();
  });

  test('carries over IPC what Electron carries, and fails on functions', () => {
    const { encode, decode } = codec();
    for (const value of [undefined, null, 'a', '', 0, -0, Number.NaN, Number.POSITIVE_INFINITY, true, [], {}])
      assert.deepStrictEqual(decode(encode(value)), value);
    const odd = { $: 'undefined', list: [undefined, { $: 1, of: { $: [-0] } }], text: '$' };
    assert.deepStrictEqual(decode(encode(odd)), odd);
    assert.throws(() => encode({ deep: [() => 1] }), /^Error: An object could not be cloned\.$/);
    assert.throws(() => encode(Symbol('a')), /could not be cloned/);
    for (const value of [new Map(), new Date(0), new Uint8Array(1), new Error('x')])
      assert.throws(() => encode(value), /over IPC is not modelled/);
  });
});
