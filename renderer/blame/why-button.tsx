import { ask } from '../model/ask.ts';
import { useModel } from '../model/model.ts';

/** Asks what led to a cell or an answer. */
export function WhyButton({ of }: { readonly of: string }) {
  const model = useModel();
  return (
    <button
      type="button"
      class="why-button"
      aria-label={`why ${of}`}
      title={`why ${of}`}
      onClick={() => ask(model, of)}
    >
      why
    </button>
  );
}
