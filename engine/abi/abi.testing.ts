import fc from 'fast-check';

/** Bytes as they occur: mostly zero, some small numbers, some anything. */
export const someByte: fc.Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: 0, max: 4 }),
);

function byteList(minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.array(someByte, { minLength, maxLength }).map((list) => Uint8Array.from(list));
}

/** Any number of bytes up to a limit. */
export function bytesUpTo(maxLength: number): fc.Arbitrary<Uint8Array> {
  return byteList(0, maxLength);
}

/** A large buffer: zero but for a few places. */
function sparse(length: number): fc.Arbitrary<Uint8Array> {
  const spot = fc.tuple(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }));
  return fc.array(spot, { maxLength: 12 }).map((spots) => {
    const bytes = new Uint8Array(length);
    for (const [at, value] of spots) bytes[at] = value;
    return bytes;
  });
}

/** Bytes around the size of a struct: too short, right, with a tail. */
export function bytesNear(size: number): fc.Arbitrary<Uint8Array> {
  const length = fc.oneof(
    fc.constant(size),
    fc.integer({ min: 0, max: size }),
    fc.integer({ min: size, max: size + 70 }),
  );
  return length.chain((n) => (n > 300 ? sparse(n) : byteList(n, n)));
}

/** What is left of a value after it has been written to the event text and read again. */
export function throughText(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json));
}

/** Runs a property on each subject and names the one on which it fails. */
export function forEach<Subject>(
  subjects: readonly Subject[],
  name: (subject: Subject) => string,
  check: (subject: Subject) => void,
): void {
  for (const subject of subjects) {
    try {
      check(subject);
    } catch (error) {
      throw new Error(`${name(subject)}: ${(error as Error).message}`, { cause: error });
    }
  }
}
