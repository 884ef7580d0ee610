import { fileURLToPath } from 'node:url';
import '../../tracer/process/own-modules.ts';

// Where ../../hvrewind has compiled code kept, else every start strips the types of some hundred modules again. Not for programs that are started here.
const kept = fileURLToPath(new URL('../../node_modules/.cache/hvrewind', import.meta.url));
if (process.env.NODE_COMPILE_CACHE === kept) delete process.env.NODE_COMPILE_CACHE;
await import('./program.ts');
