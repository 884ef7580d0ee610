/** Sizes of panes, kept by the browser where it keeps anything; a private window may refuse. */
const PREFIX = 'hvrewind.size.';

export function recall(name: string, otherwise: number): number {
  try {
    const kept = Number(localStorage.getItem(PREFIX + name) ?? Number.NaN);
    return kept > 0 && kept < 1 ? kept : otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name: string, value: number): void {
  try {
    localStorage.setItem(PREFIX + name, String(value));
  } catch {
    // Then the size lasts as long as the page.
  }
}
