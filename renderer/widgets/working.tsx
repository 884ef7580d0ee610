import { useModel } from '../model/model.ts';

const NAMES = { compare: 'comparing', 'what-if': 'replaying with the edits', suggest: 'searching' } as const;

/** Long work that somebody waits for: how far it is, and a button that ends it. */
export function Working() {
  const model = useModel();
  const work = model.work.value;
  if (work === null) return undefined;
  const { what, done, total } = work;
  return (
    <span class="working">
      <span>{NAMES[what]}</span>
      <progress value={Math.min(done, total)} max={Math.max(1, total)} aria-label={NAMES[what]} />
      <button type="button" title="end it ( Esc )" onClick={() => void model.app.invoke('cancel', {})}>
        Cancel <kbd>Esc</kbd>
      </button>
    </span>
  );
}
