import { useSignal } from '@preact/signals';
import type { FindingView } from '../../engine/app/api.ts';
import { setEdits } from '../model/ask.ts';
import { useModel } from '../model/model.ts';
import { Working } from '../widgets/working.tsx';

/** Searches for the smallest edits that remove a finding, and shows what comes of them; the search can be ended. */
export function SuggestButton({ finding }: { readonly finding: FindingView }) {
  const model = useModel();
  const busy = useSignal(false);
  const search = async (): Promise<void> => {
    busy.value = true;
    model.searches.value++;
    try {
      const { edits } = await model.app.invoke('suggest', { finding: finding.id });
      if (edits.length === 0)
        model.notice.value = `no edit was found that removes ${finding.rule} and adds nothing`;
      else setEdits(model, edits);
    } catch (error) {
      model.notice.value = error instanceof Error ? error.message : String(error);
    }
    model.searches.value--;
    busy.value = false;
  };
  if (busy.value) {
    return (
      <p class="suggest">
        searching… <Working />
      </p>
    );
  }
  return (
    <button
      type="button"
      class="suggest"
      title="searches for the smallest change of the trace that removes the finding"
      onClick={() => void search()}
    >
      What would remove it?
    </button>
  );
}
