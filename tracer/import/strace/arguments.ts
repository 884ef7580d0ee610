/** A descriptor as strace prints it: `3`, or with -y `3</dev/mshv>`. */
export interface Descriptor {
  readonly fd: number;
  readonly path: string | undefined;
}

const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' };

/** The arguments of a call, split at the commas that stand in no bracket, path or string. Any text is taken. */
export function splitArguments(text: string): string[] {
  const parts: string[] = [];
  const open: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i] as string;
    if (quoted) {
      if (c === '\\') i += 1;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === open.at(-1)) open.pop();
    else if (c === '<' && text[i + 1] === '<') i += 1;
    else if (CLOSERS[c] !== undefined && open.length < 64) open.push(CLOSERS[c]);
    else if (c === ',' && open.length === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  if (last !== '' || parts.length > 0) parts.push(last);
  return parts;
}

/** An integer without the comment that `-X verbose` puts behind it; undefined for what is none. */
export function integerOf(text: string | undefined): bigint | undefined {
  const match = /^(-?\d{1,20}|0x[0-9a-fA-F]{1,16})(?:\s*\/\*.*\*\/)?$/.exec(text ?? '');
  if (text === 'NULL') return 0n;
  return match === null ? undefined : BigInt(match[1] as string);
}

/** Reads a descriptor with its path. */
export function descriptorOf(text: string | undefined): Descriptor | undefined {
  const match = /^(-?\d{1,10})(?:<(.*)>(?:\(deleted\))?)?$/s.exec(text ?? '');
  if (match === null) return undefined;
  const fd = Number(match[1]);
  if (fd < -0x8000_0000 || fd > 0x7fff_ffff) return undefined;
  // -yy says what device it is behind the path: /dev/mshv<char 10:123>.
  return { fd, path: match[2]?.replace(/<(?:char|block) [^>]*>$/, '') };
}

/** The text of a string argument; escapes other than of quotes and backslashes are left as they are. */
export function stringOf(text: string | undefined): string | undefined {
  const match = /^"(.*)"(?:\.\.\.)?$/s.exec(text ?? '');
  return match?.[1]?.replace(/\\(["\\])/g, '$1');
}

const DIRECTIONS: Readonly<Record<string, number>> = { _IOC_NONE: 0, _IOC_WRITE: 1, _IOC_READ: 2 };
const IOC = /^_IOC\(([A-Z_|0]+), (0x[0-9a-f]+|\d+), (0x[0-9a-f]+|\d+), (0x[0-9a-f]+|\d+)\)$/;

/** A request as a number, whichever of `-X raw`, `verbose` and `abbrev` printed it; undefined for a name. */
export function requestOf(text: string): number | undefined {
  const number = integerOf(text);
  if (number !== undefined) return Number(BigInt.asUintN(32, number));
  const match = IOC.exec(text);
  if (match === null) return undefined;
  const [, names = '', type = '', nr = '', size = ''] = match;
  const direction = names.split('|').reduce((bits, name) => bits | (DIRECTIONS[name] ?? 0), 0);
  const [t, n, s] = [Number(type), Number(nr), Number(size)];
  if (t > 0xff || n > 0xff || s > 0x3fff) return undefined;
  return ((direction << 30) | (s << 16) | (t << 8) | n) >>> 0;
}

/** Whether a flag word has a flag: by its name, or by its bits where `-X raw` printed numbers. */
export function hasFlag(text: string | undefined, name: string, bits: bigint): boolean {
  const words = (text ?? '').replace(/\/\*.*\*\//, '').split(/[|\s{}=,]+/);
  return words.some((word) => word === name || ((integerOf(word) ?? 0n) & bits) !== 0n);
}
