import { dispatch } from '../../main/cli/dispatch.ts';
import type { Output } from '../output.testing.ts';

/** A command line, and the folder that it is run in. */
export interface Order {
  readonly words: readonly string[];
  readonly folder: string;
}

/** Runs `work` with what it writes to one of the standard streams taken from it. */
async function taking<T>(stream: NodeJS.WriteStream, work: () => Promise<T>): Promise<[T, string]> {
  let text = '';
  const { write } = stream;
  stream.write = (chunk: string | Uint8Array) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return true;
  };
  try {
    return [await work(), text];
  } finally {
    stream.write = write;
  }
}

process.on('message', async ({ words, folder }: Order) => {
  process.chdir(folder);
  const [[exit, out], err] = await taking(process.stderr, async () =>
    taking(process.stdout, () => dispatch(words)),
  );
  // A file that nobody closed is complained about by the time the process ends.
  globalThis.gc?.();
  process.send?.({ exit, out, err } satisfies Output);
});
