/**
 * Loaded before each test file: keeps what Node makes of our modules, so that the next file does not strip the types of
 * the same hundreds again. For the process of the test alone: the programs that it starts are to be as users start them.
 */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/hvrewind'));
