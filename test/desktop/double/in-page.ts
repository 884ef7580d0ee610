/**
 * Runs in Chromium, as text: each function here stands alone, without imports and without anything around it.
 * Types are stripped to blanks by Node, so that the text of a function is JavaScript.
 */

export interface Codec {
  encode(value: unknown): string;
  decode(text: string): unknown;
}

/** Values over IPC: JSON, undefined, and numbers that JSON lacks. Functions fail as in Electron; the rest is not modelled. */
export function codec(): Codec {
  const isOdd = (value: number): boolean => !Number.isFinite(value) || Object.is(value, -0);
  const pack = (value: unknown): unknown => {
    if (value === undefined) return { $: 'undefined' };
    if (typeof value === 'number')
      return isOdd(value) ? { $: 'number', text: Object.is(value, -0) ? '-0' : String(value) } : value;
    if (typeof value === 'function' || typeof value === 'symbol')
      throw new Error('An object could not be cloned.');
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (Array.isArray(value)) return value.map(pack);
    if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
      throw new Error(`electron double: ${Object.prototype.toString.call(value)} over IPC is not modelled`);
    const packed = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, pack(member)]));
    return '$' in packed ? { $: 'object', of: packed } : packed;
  };
  const members = (packed: object): object =>
    Object.fromEntries(Object.entries(packed).map(([key, member]) => [key, unpack(member)]));
  const unpack = (packed: unknown): unknown => {
    if (packed === null || typeof packed !== 'object') return packed;
    if (Array.isArray(packed)) return packed.map(unpack);
    const tagged = packed as { readonly $?: string; readonly text?: string; readonly of?: object };
    if (tagged.$ === 'undefined') return undefined;
    if (tagged.$ === 'number') return Number(tagged.text);
    return members(tagged.$ === 'object' ? (tagged.of ?? {}) : packed);
  };
  return { encode: (value) => JSON.stringify(pack(value)), decode: (text) => unpack(JSON.parse(text)) };
}

export interface BridgeHalf {
  expose(name: string, api: unknown): void;
  onExpose(listener: (name: string, api: unknown) => void): void;
}

/**
 * One half of the context bridge; the other half runs in the other world of the same page. They talk by events that
 * are dispatched synchronously and whose `detail` Chromium clones between worlds. Functions and promises cross as
 * numbers, errors as their message, everything else as JSON-like data.
 */
export function bridgeHalf(self: string, other: string, secret: string): BridgeHalf {
  type Tagged = { readonly $bridge?: string; readonly id: number; readonly message: string };
  type Result = { readonly ok: boolean; readonly value: unknown };
  const functions: ((...words: unknown[]) => unknown)[] = [];
  const waiting = new Map<number, { done(value: unknown): void; fail(error: unknown): void }>();
  let promises = 0;
  let returned: Result | undefined;

  const post = (kind: string, detail: unknown): void => {
    document.dispatchEvent(new CustomEvent(`${secret}${other}${kind}`, { detail }));
  };
  const listen = <T>(kind: string, listener: (detail: T) => void): void => {
    document.addEventListener(`${secret}${self}${kind}`, (event) => {
      event.stopImmediatePropagation();
      listener((event as CustomEvent<T>).detail);
    });
  };

  const pack = (value: unknown): unknown => {
    if (typeof value === 'function') {
      const known = functions.indexOf(value as (typeof functions)[number]);
      const id = known === -1 ? functions.push(value as (typeof functions)[number]) - 1 : known;
      return { $bridge: 'function', id };
    }
    if (typeof value === 'symbol') throw new TypeError('An object could not be cloned.');
    if (value === null || typeof value !== 'object') return value;
    if (value instanceof Promise) {
      const id = ++promises;
      value.then(
        (result) => post('settle', { id, ok: true, value: pack(result) }),
        (error) => post('settle', { id, ok: false, value: pack(error) }),
      );
      return { $bridge: 'promise', id };
    }
    if (value instanceof Error) return { $bridge: 'error', message: value.message };
    if (Array.isArray(value)) return value.map(pack);
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, pack(member)]));
  };
  const unpack = (packed: unknown): unknown => {
    if (packed === null || typeof packed !== 'object') return packed;
    if (Array.isArray(packed)) return packed.map(unpack);
    const { $bridge, id, message } = packed as Tagged;
    if ($bridge === 'function') return (...words: unknown[]): unknown => call(id, words);
    if ($bridge === 'promise') return new Promise((done, fail) => waiting.set(id, { done, fail }));
    if ($bridge === 'error') return new Error(message);
    return Object.fromEntries(Object.entries(packed).map(([key, member]) => [key, unpack(member)]));
  };
  const call = (id: number, words: readonly unknown[]): unknown => {
    returned = undefined;
    post('call', { id, words: words.map(pack) });
    const result = returned as Result | undefined;
    returned = undefined;
    if (result === undefined) throw new Error('electron double: the other world does not answer');
    const value = unpack(result.value);
    if (result.ok) return value;
    throw value;
  };

  listen<{ id: number; words: unknown[] }>('call', ({ id, words }) => {
    try {
      post('return', { ok: true, value: pack(functions[id]?.(...words.map(unpack))) });
    } catch (error) {
      post('return', { ok: false, value: pack(error) });
    }
  });
  listen<Result>('return', (result) => {
    returned = result;
  });
  listen<Result & { id: number }>('settle', ({ id, ok, value }) => {
    const promise = waiting.get(id);
    waiting.delete(id);
    if (ok) promise?.done(unpack(value));
    else promise?.fail(unpack(value));
  });
  return {
    expose: (name, api) => post('expose', { name, api: pack(api) }),
    onExpose: (listener) =>
      listen<{ name: string; api: unknown }>('expose', ({ name, api }) => listener(name, unpack(api))),
  };
}

/** The page's own world: what the preload script exposes becomes a frozen member of window. */
export function mainWorld(bridge: BridgeHalf): void {
  const freeze = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
    return value;
  };
  bridge.onExpose((name, api) => {
    Object.defineProperty(window, name, { value: freeze(api), enumerable: true });
  });
}

/** A dropped file as the test named it. */
export interface DroppedFile {
  readonly path: string;
  readonly name: string;
  readonly size: number;
}

/** From the program to the isolated world. */
export type ToIsolatedWorld =
  | { readonly kind: 'reply'; readonly id: number; readonly text: string }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | { readonly kind: 'message'; readonly channel: string; readonly text: string }
  | { readonly kind: 'files'; readonly files: readonly DroppedFile[] };

/** From the isolated world to the program. */
export interface FromIsolatedWorld {
  readonly id: number;
  readonly channel: string;
  readonly text: string;
}

/** The isolated world: Electron's modules for a sandboxed preload script, then the script itself. */
export function isolatedWorld(
  bridge: BridgeHalf,
  ipc: Codec,
  preload: (require: (name: string) => unknown) => void,
): void {
  type Listener = (event: object, ...words: unknown[]) => void;
  const outside = globalThis as unknown as {
    doubleSend(text: string): void;
    doubleReceive(message: ToIsolatedWorld): void;
  };
  const listeners = new Map<string, Set<Listener>>();
  const waiting = new Map<
    number,
    { readonly channel: string; done(value: unknown): void; fail(error: Error): void }
  >();
  const exposed = new Set<string>();
  let files: readonly DroppedFile[] = [];
  let requests = 0;

  const only = <T extends object>(name: string, members: T): T =>
    new Proxy(members, {
      get(object, key) {
        if (typeof key === 'string' && !(key in object))
          throw new Error(`electron double: ${name}.${key} is not modelled`);
        return Reflect.get(object, key);
      },
    });

  outside.doubleReceive = (message) => {
    if (message.kind === 'message') {
      const words = ipc.decode(message.text) as unknown[];
      for (const listener of [...(listeners.get(message.channel) ?? [])]) listener({}, ...words);
    } else if (message.kind === 'files') {
      files = message.files;
    } else {
      const request = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.kind === 'reply') request?.done(ipc.decode(message.text));
      else request?.fail(new Error(`Error invoking remote method '${request.channel}': ${message.message}`));
    }
  };

  const ipcRenderer = only('ipcRenderer', {
    invoke(channel: string, ...words: unknown[]): Promise<unknown> {
      const id = ++requests;
      const text = ipc.encode(words);
      return new Promise((done, fail) => {
        waiting.set(id, { channel, done, fail });
        outside.doubleSend(JSON.stringify({ id, channel, text }));
      });
    },
    on(channel: string, listener: Listener): void {
      const known = listeners.get(channel) ?? new Set();
      listeners.set(channel, known.add(listener));
    },
    off(channel: string, listener: Listener): void {
      listeners.get(channel)?.delete(listener);
    },
  });
  const contextBridge = only('contextBridge', {
    exposeInMainWorld(name: string, api: unknown): void {
      if (exposed.has(name))
        throw new Error('Cannot bind an API on top of an existing property on the window object');
      exposed.add(name);
      bridge.expose(name, api);
    },
  });
  const webUtils = only('webUtils', {
    /** A file that a script made has no path: the empty text. */
    getPathForFile: (file: File): string =>
      files.find(({ name, size }) => name === file.name && size === file.size)?.path ?? '',
  });
  const electron = only('electron', { ipcRenderer, contextBridge, webUtils });
  preload((name) => {
    if (name === 'electron') return electron;
    throw new Error(`module not found: ${name}`);
  });
}
