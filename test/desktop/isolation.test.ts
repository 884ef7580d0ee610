/** What a page in the desktop window cannot do, whatever runs in it. One program for all tests. */
import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { describe, test } from 'node:test';
import { control, page, theWindow } from './double/control.ts';
import { at, chromium, makeTrace, showsTrace, startBefore, until } from './program.testing.ts';

startBefore({
  traces: () => makeTrace('here.hvtrace'),
  // Named as a user would in the folder where it stands, among switches of Chromium's own.
  words: () => ['--enable-features=Something', relative(process.cwd(), at('here.hvtrace'))],
  opened: () => showsTrace('here.hvtrace'),
});

const ours = 'hvrewind://app/index.html';
const url = (): string => theWindow().webContents.getURL().replace(/#.*/, '');

describe('the page', chromium, () => {
  test('was opened on the file of the command line, from our own scheme', () => {
    assert.equal(url(), ours);
    assert.equal(control.systemRecent.at(-1), at('here.hvtrace'));
    assert.ok(control.sandboxForAll);
  });

  test('sees the bridge, frozen, and nothing of Node, Electron or the preload script', async () => {
    const seen = await page().evaluate(() => {
      const names = ['require', 'process', 'global', 'Buffer', 'module', 'ipcRenderer', 'electron'];
      const hidden = ['doubleSend', 'doubleReceive', 'bridge', 'CHANNELS', '__dirname'];
      return {
        present: [...names, ...hidden].filter((name) => name in window),
        bridge: Object.keys(window.hvrewind),
        kinds: Object.values(window.hvrewind).map((member) => typeof member),
        frozen: Object.isFrozen(window.hvrewind),
        replaceable: Object.getOwnPropertyDescriptor(window, 'hvrewind')?.configurable,
      };
    });
    assert.deepEqual(seen, {
      present: [],
      bridge: ['app', 'shell', 'onProgress', 'onLine'],
      kinds: ['function', 'function', 'function', 'function'],
      frozen: true,
      replaceable: false,
    });
  });

  test('runs no script but our files', async () => {
    const ran = await page().evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.inline = 1';
      document.head.append(script);
      const button = document.createElement('button');
      button.setAttribute('onclick', 'window.handler = 1');
      document.body.append(button);
      button.click();
      button.remove();
      return ['inline', 'handler'].filter((name) => name in window);
    });
    assert.deepEqual(ran, []);
    // What Playwright evaluates may do more than the page; what runs later may not.
    const evalled = await page().evaluate(
      () =>
        new Promise((done) =>
          setTimeout(() => {
            try {
              done(new Function('return 1')());
            } catch (error) {
              done((error as Error).name);
            }
          }),
        ),
    );
    assert.equal(evalled, 'EvalError');
  });

  test('gets its policy with each file, and no file but ours', async () => {
    const read = await page().evaluate(async () => {
      const headers = await fetch('./main.css').then((response) => response.headers);
      const status = (path: string, method = 'GET'): Promise<number> =>
        fetch(path, { method }).then((response) => response.status);
      return {
        policy: headers.get('content-security-policy'),
        type: headers.get('content-type'),
        missing: await Promise.all(
          ['../main.js', './package.json', './..%2fmain.js', './%2e%2e/main.js', '/etc/passwd', '/'].map(
            (path) => status(path),
          ),
        ),
        post: await status('./main.css', 'POST'),
      };
    });
    assert.match(read.policy ?? '', /^default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(read.policy ?? '', /unsafe|data:|\*/);
    assert.equal(read.type, 'text/css; charset=utf-8');
    assert.deepEqual([read.missing, read.post], [[200, 404, 404, 200, 404, 404], 405]);
  });

  test('reaches no network: the policy refuses', async () => {
    assert.deepEqual(await reach(), ['refused', 'refused', 'refused']);
  });

  test('reaches no network even where the policy is off', async () => {
    const devtools = await page().context().newCDPSession(page());
    await devtools.send('Page.setBypassCSP', { enabled: true });
    await page().reload();
    await showsTrace('here.hvtrace');
    control.cancelled.length = 0;
    assert.deepEqual((await reach())[0], 'refused');
    assert.ok(control.cancelled.includes('https://example.invalid/fetch'), control.cancelled.join());
    assert.equal(control.switches.get('host-resolver-rules'), 'MAP * ~NOTFOUND');
    await devtools.send('Page.setBypassCSP', { enabled: false });
    await page().reload();
    await showsTrace('here.hvtrace');
  });

  test('stays where it is', async () => {
    control.stayed.length = 0;
    const targets = [
      'https://example.invalid/',
      'file:///etc/passwd',
      'data:text/html,x',
      'http://127.0.0.1:1/',
    ];
    for (const target of targets) {
      await page().evaluate((to) => {
        const link = document.createElement('a');
        link.href = to;
        document.body.append(link);
        link.click();
        link.remove();
      }, target);
    }
    await until('the first is refused', () => control.stayed.includes('https://example.invalid/'));
    await page().evaluate(() => window.location.assign('https://example.invalid/assign'));
    await until('the next is refused', () => control.stayed.some((to) => to.endsWith('/assign')));
    assert.equal(url(), ours);
    assert.equal(await page().evaluate(() => document.title.startsWith('here.hvtrace ')), true);
  });

  test('opens no window', async () => {
    await page().evaluate(() => void window.open('https://example.invalid/window'));
    await until('it was denied', () => control.deniedWindows.includes('https://example.invalid/window'));
    await until('none is left', () => page().context().pages().length === 1);
  });

  test('frames nothing', async () => {
    await page().evaluate(() => {
      const frame = document.createElement('iframe');
      frame.src = './index.html';
      document.body.append(frame);
    });
    await until('the frame is refused', () =>
      page()
        .frames()
        .every((frame) => !frame.url().includes('index.html') || frame === page().mainFrame()),
    );
    await page().evaluate(() => document.querySelector('iframe')?.remove());
  });

  test('has one permission: to put text on the clipboard', async () => {
    const states = await page().evaluate(async () => {
      const state = async (name: string): Promise<string> =>
        (await navigator.permissions.query({ name: name as PermissionName })).state;
      return Object.fromEntries(
        await Promise.all(
          [
            'geolocation',
            'notifications',
            'camera',
            'microphone',
            'midi',
            'clipboard-read',
            'clipboard-write',
          ].map(async (name) => [name, await state(name)]),
        ),
      ) as Record<string, string>;
    });
    const { 'clipboard-write': write, ...others } = states;
    assert.equal(write, 'granted');
    assert.deepEqual([...new Set(Object.values(others))], ['denied'], JSON.stringify(others));
    const position = await page().evaluate(
      () =>
        new Promise((done) =>
          navigator.geolocation.getCurrentPosition(
            () => done(0),
            ({ code }) => done(code),
          ),
        ),
    );
    assert.equal(position, 1, 'PERMISSION_DENIED');
  });
});

describe('requests of the page', chromium, () => {
  const refused: readonly (readonly ['app' | 'shell', readonly unknown[], RegExp])[] = [
    ['app', ['readFile', { path: '/etc/passwd' }], /^no request is called "readFile"$/],
    ['app', ['constructor', {}], /^no request is called "constructor"$/],
    ['app', ['__proto__', {}], /^no request is called/],
    ['app', [7, {}], /^no request is called 7$/],
    ['app', [undefined, {}], /^no request is called undefined$/],
    ['app', ['info', undefined], /^info: the input is not an object$/],
    ['app', ['info', { more: 1 }], /^info: unknown member "more"$/],
    ['app', ['event', { at: 1 }], /^event: at is missing or not a text$/],
    ['app', ['event', { at: 'nowhere' }], /"nowhere" is not a position/],
    ['app', ['event', { at: '99999999' }], /no position 99999999/],
    ['app', ['events', { filter: '', derived: true, from: -1, count: 1 }], /^events: from is missing/],
    ['shell', ['openPath', { path: '/etc/passwd' }], /^no request is called "openPath"$/],
    ['shell', ['drop', { path: '/etc/passwd' }], /^no request is called "drop"$/],
    ['shell', ['info', {}], /^no request is called "info"$/],
    ['shell', ['openRecent', { index: 99 }], /^openRecent: there is no such file$/],
    ['shell', ['openRecent', { index: -1 }], /^openRecent: index is missing or not a count$/],
    ['shell', ['status', []], /^status: the input is not an object$/],
  ];
  for (const [channel, words, why] of refused) {
    test(`${channel} ${JSON.stringify(words)} is refused in a line`, async () => {
      const reply = await page().evaluate(
        ([to, [method, input]]) => window.hvrewind[to](method as string, input),
        [channel, words] as const,
      );
      assert.ok('problem' in reply, JSON.stringify(reply));
      assert.match(reply.problem, why);
    });
  }

  test('a request that cannot be copied fails in the page', async () => {
    const message = await page().evaluate(async () => {
      try {
        return String(await window.hvrewind.app('info', { at: Symbol('x') }));
      } catch (error) {
        return (error as Error).message;
      }
    });
    assert.match(message, /could not be cloned/);
  });

  test('are taken from our page alone', async () => {
    await theWindow().loadURL('data:text/html,<title>elsewhere</title>');
    assert.equal(await page().title(), 'elsewhere');
    for (const channel of ['app', 'shell'] as const) {
      const reply = await page().evaluate((to) => window.hvrewind[to]('status', {}), channel);
      assert.deepEqual(reply, { problem: 'requests are taken from the app alone' });
    }
    await theWindow().loadURL(ours);
    await showsTrace('here.hvtrace');
  });
});

test('nothing of this was an error of a page', chromium, () => {
  assert.deepEqual(control.pageErrors, []);
});

/** Tries three ways to a network. */
function reach(): Promise<string[]> {
  return page().evaluate(() => {
    const image = new Promise<string>((done) => {
      const element = new Image();
      element.onload = () => done('reached');
      element.onerror = () => done('refused');
      element.src = 'https://example.invalid/image.png';
    });
    const socket = new Promise<string>((done) => {
      const opened = new WebSocket('wss://example.invalid/socket');
      opened.onopen = () => done('reached');
      opened.onerror = () => done('refused');
    });
    const fetched = fetch('https://example.invalid/fetch').then(
      () => 'reached',
      () => 'refused',
    );
    return Promise.all([fetched, image, socket]);
  });
}
