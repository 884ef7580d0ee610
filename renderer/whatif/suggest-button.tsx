import { useSignal } from '@preact/signals';
import type { FindingView } from '../../engine/app/api.ts';
import { setEdits } from '../model/ask.ts';
import { useModel } from '../model/model.ts';

/** Searches for the smallest edits that remove a finding, and shows what comes of them. */
export function SuggestButton({ finding }: { readonly finding: FindingView }) {
  const model = useModel();
  const busy = useSignal(false);
  const search = async (): Promise<void> => {
    busy.value = true;
    try {
      const { edits } = await model.app.invoke('suggest', { finding: finding.id });
      if (edits.length === 0)
        model.notice.value = `no edit was found that removes ${finding.rule} and adds nothing`;
      else setEdits(model, edits);
    } catch (error) {
      model.notice.value = error instanceof Error ? error.message : String(error);
    }
    busy.value = false;
  };
  return (
    <button
      type="button"
      class="suggest"
      disabled={busy.value}
      title="searches for the smallest change of the trace that removes the finding"
      onClick={() => void search()}
    >
      {busy.value ? 'searching…' : 'What would remove it?'}
    </button>
  );
}
