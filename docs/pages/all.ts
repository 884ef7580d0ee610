import { RULES } from '../../engine/rules/catalogue.ts';
import { rulesMarkdown } from '../../engine/rules/docs.ts';
import { bugsPage } from './bugs.ts';
import { ioctlPages } from './ioctls.ts';
import { overviewPage } from './overview.ts';
import { structPages } from './structs.ts';
import { tablePages } from './tables.ts';

/** Every generated page, by its path below docs/. */
export function generatedPages(): Map<string, string> {
  const reference = [
    ['README.md', overviewPage()] as const,
    ...ioctlPages(),
    ...structPages(),
    ...tablePages(),
  ];
  const pages = new Map(reference.map(([path, text]) => [`reference/${path}`, text]));
  return pages.set('rules.md', rulesMarkdown(RULES)).set('bugs.md', bugsPage());
}
