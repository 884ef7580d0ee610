/** Prints the hashes of this Node as JSON: what `npm run test:runtimes` runs on each. */
import { hashes } from './hashes.ts';
import { scenarios } from './table.ts';

console.log(JSON.stringify(hashes(scenarios())));
