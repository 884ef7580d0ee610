/** Puts the double in the place of `electron`, for everything that this process imports from now on. */
import { registerHooks } from 'node:module';

const double = new URL('./electron.ts', import.meta.url).href;
/** Programs and native packages look here to see where they run. */
Object.defineProperty(process.versions, 'electron', { value: '45.4.1', enumerable: true });

registerHooks({
  resolve: (name, context, next) =>
    name === 'electron' ? { url: double, shortCircuit: true } : next(name, context),
});
