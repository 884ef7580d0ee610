import type { Refusal } from '../model/go.ts';

/**
 * What `y` copies: the text selection, else the value that has the focus (`data-copy` of the focused element or of the
 * row that it points to), else the position of the cursor.
 */
export function copyTarget(document: Document): string | undefined {
  const selection = document.getSelection()?.toString() ?? '';
  if (selection !== '') return selection;
  const focused = document.activeElement;
  const active = focused?.getAttribute('aria-activedescendant');
  const element = (active && document.getElementById(active)) || focused;
  return element?.closest('[data-copy]')?.getAttribute('data-copy') ?? undefined;
}

/** Puts text on the clipboard and says so. */
export async function copyText(text: string): Promise<Refusal> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return 'the browser does not let this page write to the clipboard';
  }
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return `copied ${shown}`;
}
