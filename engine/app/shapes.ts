/** What a member of a request may be. Texts are bounded: nothing a view asks for needs a long one. */
export type Member = 'text' | 'texts' | 'count' | 'number' | 'flag' | readonly string[];
const MAX_TEXT_CHARS = 4096;
/** Positions that one request may name. */
const MAX_TEXTS = 1000;
/** Rows, writes or buckets that one request may ask for. */
const MAX_COUNT = 10_000_000_000;

/** Requests by name, each with what goes in. */
type Requests<R> = { readonly [M in keyof R]: { readonly in: object } };

/** A closed list of requests and their members. */
export type Shapes<R extends Requests<R>> = {
  readonly [M in keyof R]: { readonly [K in keyof R[M]['in']]: Member };
};

/** A request of such a list that has been checked. */
export type Checked<R extends Requests<R>> = {
  [M in keyof R]: { readonly method: M; readonly input: R[M]['in'] };
}[keyof R];

/** Checks a request from outside against a closed list; the text of the result says what is wrong with it. */
export function readShaped<R extends Requests<R>>(
  shapes: Shapes<R>,
  method: unknown,
  input: unknown,
): Checked<R> | { readonly problem: string } {
  if (typeof method !== 'string' || !Object.hasOwn(shapes, method)) {
    return { problem: `no request is called ${JSON.stringify(method) ?? typeof method}` };
  }
  const shape: Readonly<Record<string, Member>> = shapes[method as string & keyof R];
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { problem: `${method}: the input is not an object` };
  }
  const given = input as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(shape, name)) return { problem: `${method}: unknown member ${JSON.stringify(name)}` };
  }
  for (const [name, member] of Object.entries(shape)) {
    if (!fits(given[name], member))
      return { problem: `${method}: ${name} is missing or not a ${word(member)}` };
  }
  return { method, input: given } as unknown as Checked<R>;
}

function fits(value: unknown, member: Member): boolean {
  if (member === 'text') return typeof value === 'string' && value.length <= MAX_TEXT_CHARS;
  if (member === 'texts') {
    return Array.isArray(value) && value.length <= MAX_TEXTS && value.every((text) => fits(text, 'text'));
  }
  if (member === 'flag') return typeof value === 'boolean';
  if (member === 'number') return typeof value === 'number' && Number.isFinite(value);
  if (member === 'count') {
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_COUNT;
  }
  return typeof value === 'string' && member.includes(value);
}

function word(member: Member): string {
  if (member === 'texts') return 'list of texts';
  return typeof member === 'string' ? member : member.join(' or ');
}
