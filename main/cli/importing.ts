import { ImportError } from '../../tracer/import/importer.ts';
import { Problem } from './problem.ts';

/** Runs work that reads somebody's text; what is wrong with the text is a Problem of one line. */
export async function importing<T>(command: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ImportError) throw new Problem(`${command}: ${error.message}`);
    throw error;
  }
}
