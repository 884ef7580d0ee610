import type { JsonSchema, JsonSchemaType } from './json-schema.ts';

function typeOf(value: unknown): JsonSchemaType | 'number' {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value as 'boolean' | 'string' | 'object';
}

/** Keywords that {@link check} knows; a schema with any other is a mistake in the schema. */
const KEYWORDS = new Set(
  '$schema $id $ref $defs title description type const enum pattern minimum maximum items properties patternProperties additionalProperties required anyOf oneOf'.split(
    ' ',
  ),
);

/**
 * Judges a value by a schema (JSON Schema draft 2020-12, the keywords of {@link JsonSchema}): what is wrong, or
 * undefined. Tests use it; the reader of the event text has its own, stricter words.
 */
export function check(
  schema: JsonSchema,
  value: unknown,
  root: JsonSchema = schema,
  path = '$',
): string | undefined {
  for (const keyword of Object.keys(schema))
    if (!KEYWORDS.has(keyword)) throw new Error(`unknown keyword ${keyword} at ${path}`);
  if (schema.$ref !== undefined) {
    const target = root.$defs?.[schema.$ref.replace('#/$defs/', '')];
    if (target === undefined) throw new Error(`nothing at ${schema.$ref}`);
    return check(target, value, root, path);
  }
  const type = typeOf(value);
  if (schema.type !== undefined && ![schema.type].flat().includes(type as JsonSchemaType))
    return `${path} is ${type}, not ${schema.type}`;
  if ('const' in schema && value !== schema.const) return `${path} is not ${schema.const}`;
  if (schema.enum !== undefined && !schema.enum.includes(value as string))
    return `${path} is not one of ${schema.enum}`;
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    const wrong = alternatives.map((choice) => check(choice, value, root, path));
    const right = wrong.filter((reason) => reason === undefined).length;
    if (right === 0) return `${path} is none of: ${wrong.join('; ')}`;
    if (schema.oneOf !== undefined && right > 1) return `${path} is more than one`;
  }
  if (
    typeof value === 'string' &&
    schema.pattern !== undefined &&
    !new RegExp(schema.pattern, 'u').test(value)
  )
    return `${path} does not match ${schema.pattern}`;
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) return `${path} is below ${schema.minimum}`;
    if (schema.maximum !== undefined && value > schema.maximum) return `${path} is above ${schema.maximum}`;
  }
  if (Array.isArray(value) && schema.items !== undefined)
    return first(value.entries(), ([index, item]) =>
      check(schema.items as JsonSchema, item, root, `${path}[${index}]`),
    );
  if (type === 'object') return checkObject(schema, value as Record<string, unknown>, root, path);
  return undefined;
}

function first<T>(items: Iterable<T>, judge: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const reason = judge(item);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function checkObject(
  schema: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  root: JsonSchema,
  path: string,
): string | undefined {
  const absent = schema.required?.find((key) => !Object.hasOwn(value, key));
  if (absent !== undefined) return `${path} lacks ${absent}`;
  return first(Object.entries(value), ([key, member]) => {
    const at = `${path}.${key}`;
    const own = schema.properties?.[key];
    if (own !== undefined) return check(own, member, root, at);
    const more = schema.additionalProperties ?? true;
    if (typeof more === 'object') return check(more, member, root, at);
    return more ? undefined : `${at} is unknown`;
  });
}
