/** The one public face of the JSON Schemas of what engine/trace reads and writes. */

export { EVENT_TEXT_SCHEMA, eventSchema, HEADER_SCHEMA } from './event-text.ts';
export type { JsonSchema, JsonSchemaType } from './json-schema.ts';
