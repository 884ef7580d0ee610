import { registerHooks } from 'node:module';

const ROOT = new URL('../../', import.meta.url).href;
const PACKAGES = `${ROOT}node_modules/`;

/**
 * From when this is imported, the thread takes imports of our own modules at their word: they are relative, with their endings, and no links
 * lead to them. Node would look at each file, at its real path and at every package.json above it, some hundred times at each start.
 */
registerHooks({
  resolve(specifier, context, next) {
    const { parentURL } = context;
    if (!specifier.startsWith('.') || parentURL === undefined || !isOurs(parentURL))
      return next(specifier, context);
    const { href } = new URL(specifier, parentURL);
    const format = href.endsWith('.ts') ? 'module-typescript' : href.endsWith('.js') ? 'module' : undefined;
    return format === undefined || !isOurs(href)
      ? next(specifier, context)
      : { url: href, format, shortCircuit: true };
  },
});

function isOurs(url: string): boolean {
  return url.startsWith(ROOT) && !url.startsWith(PACKAGES);
}
