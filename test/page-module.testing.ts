/** Pure files of the engine in a page: bundled as they are, run in the Chromium of the tests. */
import { build } from 'esbuild';
import { launchChromium } from './chromium.testing.ts';

type Functions = Readonly<Record<string, (argument: unknown) => unknown>>;

/**
 * Bundles the file at `path`, calls its function `name` in an empty page, once for each argument, and gives what it
 * returned. Arguments and results are what JSON can hold. Throws what the function throws.
 */
export async function callInChromium(
  path: string,
  name: string,
  given: readonly unknown[],
): Promise<unknown[]> {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'bundled',
    target: 'chrome120',
    logLevel: 'silent',
  });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: outputFiles[0]?.text ?? '' });
    const results: unknown[] = [];
    for (const argument of given) {
      const call = ([called, one]: readonly [string, unknown]) =>
        (globalThis as unknown as { bundled: Functions }).bundled[called]?.(one);
      results.push(await page.evaluate(call, [name, argument] as const));
    }
    return results;
  } finally {
    await browser.close();
  }
}
