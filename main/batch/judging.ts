import { parentPort } from 'node:worker_threads';
import { judgeOne } from './judge-one.ts';

/** What a thread is started with. */
export interface WorkerData {
  /** The folder of the compile cache that the thread which starts it uses; undefined where it uses none. */
  readonly compileCache: string | undefined;
}

// One file at a time is asked for, and answered with what came of it.
parentPort?.on('message', async (file: string) => parentPort?.postMessage(await judgeOne(file)));
