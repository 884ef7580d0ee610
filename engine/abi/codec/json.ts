/** What JSON.parse returns and JSON.stringify takes, without null and booleans: the event text uses neither here. */
export type AbiJson = string | number | readonly AbiJson[] | AbiObject;

export interface AbiObject {
  readonly [member: string]: AbiJson;
}

/** Why an object of the event text is not what it should be. */
export interface ObjectError {
  /** Members and indexes from the object down, `elements[2].name`; empty for the object itself. */
  readonly path: string;
  readonly message: string;
  /** The words that may stand there, where they are few. */
  readonly expected: readonly string[];
}

export type ObjectResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly error: ObjectError };

/** An object as it came from outside: nothing is known of its members. */
export interface JsonObject {
  readonly [member: string]: unknown;
}

/** True for a JSON object (not an array, not null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The path of a member below `path`. */
export function memberPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
