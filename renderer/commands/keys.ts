/** Names of keys: `j`, `Shift+L`, `Ctrl+K`, `?`, `ArrowDown`. Ctrl also stands for Cmd, as on a Mac. */

/** What of a key event names it. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** The name of the key that was pressed. A character that needs Shift anyway (`?`) is named without it. */
export function keyOf(press: KeyPress): string {
  const letter = /^[a-z]$/i.test(press.key);
  const name = letter ? press.key.toLowerCase() : press.key;
  const upper = press.ctrlKey || press.metaKey || press.shiftKey;
  const parts = [
    ...(press.ctrlKey || press.metaKey ? ['Ctrl'] : []),
    ...(press.altKey ? ['Alt'] : []),
    ...(press.shiftKey && (letter || name.length > 1) ? ['Shift'] : []),
    letter && upper ? name.toUpperCase() : name,
  ];
  return parts.join('+');
}

const WORDS: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
};

/** The name as it is shown, in parts: `Ctrl`, `K`. */
export function keyCaps(name: string): string[] {
  const parts = name === '+' ? ['+'] : name.split(/\+(?=.)/);
  return parts.map((part) => WORDS[part] ?? part);
}
