export type { TraceCounts } from './format/meta.ts';
export type { Gap, Note } from './format/notes.ts';
export { FORMAT_VERSION } from './format/schema.ts';
export { type KindRegistry, kindPath } from './journal/checkpoint-codec.ts';
export type { NameSource } from './names.ts';
export { isProblem, problem, TraceFileError, type TraceProblem } from './problem.ts';
export { openTrace, type PlacedCheckpoint, type TraceReader, type Where } from './read/reader.ts';
export { type RecoverOptions, type Recovery, recoverTrace } from './recover/recover.ts';
export { type CallAnswer, TraceWriter, type WriterOptions } from './write/writer.ts';
