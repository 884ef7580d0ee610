import type { EventKind } from '../event.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import type { TextContext } from './context.ts';
import type { JsonObject } from './json.ts';
import type { Row } from './row.ts';

/** An event while it is read: the fields found so far. */
export type Draft = Record<string, unknown>;

/** Keys of a kind that are not fields of the event one to one: buffers that are decoded, words that are built. */
export interface ExtraKeys {
  readonly keys: Readonly<Record<string, JsonSchema>>;
  /** Fills the draft; called after all rows. Throws a Refusal. */
  read(object: JsonObject, draft: Draft, context: TextContext): void;
  /** `,"key":value` each. */
  write(event: Readonly<Draft>, context: TextContext): string;
}

/** How one kind of event is read and written. */
export interface KindText {
  readonly kind: EventKind;
  /** Written before the actor: what happened. */
  readonly lead: readonly Row[];
  /** Written after the actor. */
  readonly rows: readonly Row[];
  readonly extra?: ExtraKeys;
  /** Written after the extra keys. */
  readonly tail: readonly Row[];
}
