import { firstLine, Problem } from '../cli/problem.ts';
import { judgeFile } from './judge-file.ts';
import type { Judged } from './judged.ts';

/** Judges one file of many: whatever goes wrong with it is one line, and the others are judged all the same. */
export async function judgeOne(file: string): Promise<Judged> {
  try {
    return await judgeFile(file);
  } catch (error) {
    return { file, problem: error instanceof Problem ? error.message : failedOn(file, error) };
  }
}

/** The line for a file on which hvrewind itself failed: its own check says where. */
export function failedOn(file: string, error: unknown): string {
  return `${file}: hvrewind failed on it (${firstLine(error)}); check it alone to see where`;
}
