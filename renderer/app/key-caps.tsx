import { keyCaps } from '../commands/keys.ts';

/** Keys as they stand on a keyboard. */
export function Keys({ names }: { readonly names: readonly string[] }) {
  return (
    <span class="keys">
      {names.map((name) => (
        <span key={name} class="key">
          {keyCaps(name).map((cap) => (
            <kbd key={cap}>{cap}</kbd>
          ))}
        </span>
      ))}
    </span>
  );
}
