/** Where a thread that judges files starts; what it does stands in judging.ts. */
import { enableCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import '../../tracer/process/own-modules.ts';
import type { WorkerData } from './judging.ts';

const { compileCache } = workerData as WorkerData;
if (compileCache !== undefined) enableCompileCache(compileCache);
await import('./judging.ts');
