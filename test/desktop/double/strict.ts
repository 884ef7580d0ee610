/** Asked for by the language or by node:events of any object; absent means nothing there. */
const HARMLESS: ReadonlySet<string> = new Set(['then', 'toJSON', 'constructor', 'inspect']);

/** The same object, but asking for a member that it does not have throws: a double must not answer `undefined`. */
export function strict<T extends object>(name: string, target: T): T {
  return new Proxy(target, {
    get(object, key) {
      if (typeof key === 'string' && !(key in object) && !HARMLESS.has(key)) throw missing(`${name}.${key}`);
      const value: unknown = Reflect.get(object, key);
      // Methods use private members, which a proxy does not have.
      return typeof value === 'function' && key !== 'constructor' ? value.bind(object) : value;
    },
  });
}

/** Refuses options that the double does not know: what it ignores it would get wrong. */
export function onlyKnown(name: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) if (!known.includes(key)) throw missing(`${name}: ${key}`);
}

export function missing(what: string): Error {
  return new Error(`electron double: ${what} is not modelled`);
}

/** An event as listeners get it. */
export interface DoubleEvent {
  readonly defaultPrevented: boolean;
  preventDefault(): void;
}

export function newEvent<T extends object>(more: T): DoubleEvent & T {
  let prevented = false;
  return {
    ...more,
    get defaultPrevented() {
      return prevented;
    },
    preventDefault() {
      prevented = true;
    },
  };
}
