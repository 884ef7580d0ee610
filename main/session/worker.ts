/** Where the thread of a trace starts; what it does stands in showing.ts. */
import { enableCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import '../../tracer/process/own-modules.ts';
import type { WorkerData } from './worker-messages.ts';

// A thread has no compile cache of its own: without it, it strips the types of some hundred modules again at each start.
const { compileCache } = workerData as WorkerData;
if (compileCache !== undefined) enableCompileCache(compileCache);
await import('./showing.ts');
